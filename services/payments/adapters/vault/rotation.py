"""Rotation of the key that wraps data keys, while the gateway runs.

1. `rotate`: a new version wraps from now on. 2. `rewrap`, until nothing is left of older ones.
3. When that is so and the new version is old enough, `refuse_older`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pkg.postgres.shards.proofs import Proofs
from pkg.postgres.sql import Pool, statements, translated
from services.payments.adapters.vault.keys import KeyVersion, KeyWrapper

SQL = statements(Path(__file__).parent / "sql")

BATCH = 500
# A worker may have had a key wrapped by the version before and be about to store it: longer than
# its call to the vault and its statement may take together.
SETTLED_AFTER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Progress:
    """The version that wraps now, what was wrapped anew, and how many data keys are left."""

    version: int
    rewrapped: int
    remaining: int


class VaultRotation:
    """What an operator does to the key that wraps.

    Args:
        pool: Of the vault's role.
        wrapper: Whose key it is.
        settled_after: How old the newest version has to be before older ones can be refused.
    """

    def __init__(
        self, pool: Pool, wrapper: KeyWrapper, *, settled_after: timedelta = SETTLED_AFTER
    ) -> None:
        self._pool = pool
        self._proofs = Proofs(pool)
        self._wrapper = wrapper
        self._settled_after = settled_after

    async def rotate(self) -> int:
        """Make a new version, and return its number."""
        return (await self._wrapper.rotate()).number

    async def rewrap(self) -> Progress:
        """Wrap a batch of data keys anew; safe to repeat, and to run more than once at a time."""
        newest = await self._wrapper.newest()
        with translated():
            rows = await self._pool.fetch(SQL["list_old_data_keys"], newest.prefix, BATCH)
        rewrapped = 0
        if rows:
            places = [(row["merchant_id"], row["wrapped"]) for row in rows]
            wrapped = await self._wrapper.rewrap(places)
            columns = [(row["merchant_id"], row["id"], row["wrapped"]) for row in rows]
            with translated():
                done = await self._pool.fetch(
                    SQL["rewrap_data_keys"], *zip(*columns, strict=True), wrapped
                )
            rewrapped = sum(row["count"] for row in done)
        return Progress(newest.number, rewrapped, await self._remaining(newest))

    async def refuse_older(self) -> int | None:
        """Refuse all versions but the newest, and return its number.

        None as long as that could lose data keys: some are still wrapped by an older version, or
        the newest one is too young for anybody to know.
        """
        newest = await self._wrapper.newest()
        settled = datetime.now(UTC) - newest.create_time >= self._settled_after
        if not settled or await self._remaining(newest):
            return None
        await self._wrapper.refuse_older(newest.number)
        return newest.number

    async def _remaining(self, newest: KeyVersion) -> int:
        with translated():
            rows = await self._pool.fetch(SQL["count_old_data_keys"], newest.prefix)
        # Who is told that nothing is left may throw the older versions away.
        await self._proofs.ensure_kept()
        return sum(row["count"] for row in rows)
