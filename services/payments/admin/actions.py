"""Actions that nobody can tell the end of, and the operator's word on them.

Here it is only noted. Recovery ends the action, after it has asked the bank once more: see
`services.payments.use_cases.recover`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pkg.errors import ValidationFailedError
from pkg.postgres.sql import Pool, Row, translated
from services.payments.admin.errors import ActionNotInDoubtError, ActionNotStuckError
from services.payments.admin.merchants import SQL

# Long enough for the bank to come back from nearly everything, and to have been asked many times.
STUCK_AFTER = timedelta(hours=1)

# They are asked for until they are done: that they came to nothing is no end of them.
_RELEASES = {"EXPIRE", "REVERSE"}


class Resolution(StrEnum):
    """What the operator says became of an action."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class StuckAction:
    """What is told of an action that is in doubt for too long. `type` is as the API names it."""

    id: str
    merchant_id: str
    payment_id: str
    type: str
    resolution: Resolution | None
    create_time: datetime


class PostgresActions:
    """Every method may raise DependencyUnavailableError."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list_stuck(self, *, after_id: str, limit: int) -> Sequence[StuckAction]:
        """Return actions that are stuck, the oldest first, from the one after `after_id` on."""
        with translated():
            rows = await self._pool.fetch(SQL["list_stuck"], STUCK_AFTER, after_id, limit)
        # Each shard has told its first ones.
        return [_action(row) for row in sorted(rows, key=lambda row: row["id"])[:limit]]

    async def resolve(self, action_id: str, resolution: Resolution) -> StuckAction:
        """Note how an action ended, for when the bank says nothing.

        Raises:
            ActionNotInDoubtError: There is no such action, or it has ended.
            ActionNotStuckError: It may still end by itself.
            ValidationFailedError: It cannot end so.
        """
        with translated():
            found = await self._pool.fetchrow(SQL["get_in_doubt"], action_id, STUCK_AFTER)
            if found is None:
                raise ActionNotInDoubtError
            if not found["is_stuck"]:
                raise ActionNotStuckError
            if found["type"] in _RELEASES and resolution is not Resolution.SUCCEEDED:
                what = "must be SUCCEEDED: a release has no other end"
                raise ValidationFailedError({"resolution": what})
            row = await self._pool.fetchrow(SQL["resolve"], action_id, resolution)
        if row is None:
            raise ActionNotInDoubtError
        return _action(row)


def _action(row: Row) -> StuckAction:
    resolution = row["resolution"]
    return StuckAction(
        id=row["id"],
        merchant_id=row["merchant_id"],
        payment_id=row["payment_id"],
        type=row["type"],
        resolution=None if resolution is None else Resolution(resolution),
        create_time=row["create_time"],
    )
