"""The outbox and its events in PostgreSQL: what relays read and note there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pkg.postgres.sql import Pool, statements, translated

SQL = statements(Path(__file__).parent / "sql")


@dataclass(frozen=True, slots=True)
class Unpublished:
    """An event that this process may publish while its lease lasts.

    `payload` is a serialised paygate.events.v1.PaymentEvent.
    """

    merchant_id: str
    id: str
    type: str
    payload: bytes


class Outbox:
    """Every method may raise DependencyUnavailableError."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def fan_out(self, *, limit: int, publishes: bool) -> int:
        """Make out the deliveries of new events; return how many events that were.

        Args:
            limit: How many events to take at most.
            publishes: Whether there is a bus; without one, nothing waits to be published.
        """
        return await self._count("fan_out", limit, not publishes)

    async def take_unpublished(self, *, limit: int, lease: timedelta) -> Sequence[Unpublished]:
        """Lease events for publishing, of each payment only the next one."""
        with translated():
            rows = await self._pool.fetch(SQL["take_unpublished"], limit, lease)
        return [
            Unpublished(row["merchant_id"], row["id"], row["type"], row["payload"]) for row in rows
        ]

    async def mark_published(self, events: Sequence[Unpublished]) -> None:
        """Note that the bus has taken them."""
        await self._note("mark_published", events)

    async def release(self, events: Sequence[Unpublished]) -> None:
        """Give up the leases of events that the bus has not taken."""
        await self._note("release_unpublished", events)

    async def count_waiting(self) -> Sequence[tuple[str, int, float]]:
        """Return what waits: its state, how many events, up to a bound, and the oldest's age."""
        with translated():
            rows = await self._pool.fetch(SQL["count_waiting"])
        waiting: dict[str, tuple[int, float]] = {}
        for row in rows:  # of each shard
            count, age = waiting.get(row["state"], (0, 0.0))
            waiting[row["state"]] = (count + row["count"], max(age, row["age_seconds"]))
        return [(state, count, age) for state, (count, age) in waiting.items()]

    async def remove_old(self, *, keep: timedelta, limit: int, by_their_clock: int) -> int:
        """Remove events that are done with and older than that; return how many.

        Args:
            keep: How old they may become.
            limit: At most so many.
            by_their_clock: Of them, of a merchant whose clock is ahead.
        """
        return await self._count("remove_old", keep, limit, by_their_clock)

    async def remove_attempts(self, *, limit: int) -> int:
        """Remove attempts at endpoints that are deleted; return how many."""
        return await self._count("remove_attempts", limit)

    async def _count(self, statement: str, *arguments: object) -> int:
        with translated():
            rows = await self._pool.fetch(SQL[statement], *arguments)  # one for each shard
        return sum(row["count"] for row in rows)

    async def _note(self, statement: str, events: Sequence[Unpublished]) -> None:
        if not events:
            return
        merchants, ids = [event.merchant_id for event in events], [event.id for event in events]
        with translated():
            await self._pool.execute(SQL[statement], merchants, ids)
