"""The store on PostgreSQL. A change is written in `commit`, by `sql/commit.sql`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg

from pkg.errors import DependencyUnavailableError
from pkg.sql import Pool, statements, translated
from services.payments.adapters.clock import SandboxClock
from services.payments.adapters.group import GroupCommitter
from services.payments.adapters.rows import (
    action_columns,
    action_of,
    payment_columns,
    payment_of,
)
from services.payments.domain.action import Action
from services.payments.ports import (
    Change,
    Commit,
    Events,
    InDoubt,
    Loaded,
    Record,
)

SQL = statements(Path(__file__).parent / "sql")

FINGERPRINT_VERSION = 1

# One change of a group is at fault: a CHECK, a NUL, a number out of range.
_POISON = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)


class PostgresStore:
    """Payments in PostgreSQL.

    Args:
        reads: Pool for statements that write nothing or a single row.
        writes: Pool of one connection for group commits: one is faster than several.
        events: Turns events into what the outbox holds.
        clock: Told how far the sandbox is ahead, with every payment that is loaded.
        lease: After how long recovery may take up a PENDING action that nobody has settled.
        wait_seconds_max: How long a change may wait for those before it.
    """

    def __init__(
        self,
        reads: Pool,
        writes: Pool,
        *,
        events: Events,
        clock: SandboxClock,
        lease: timedelta,
        wait_seconds_max: float = 2.0,
    ) -> None:
        self._reads = reads
        self._writes = writes
        self._events = events
        self._clock = clock
        self._lease = lease
        self._group = GroupCommitter(
            self._write,
            is_poisoned=lambda problem: isinstance(problem, _POISON),
            wait_seconds_max=wait_seconds_max,
        )

    async def load(self, merchant_id: str, payment_id: str, *, rpc: str, key: str | None) -> Loaded:
        """Return the payment and the record of the idempotency key, from one snapshot."""
        async with translated():
            row = await self._reads.fetchrow(SQL["load"], merchant_id, payment_id, rpc, key)
        assert row is not None  # it has a row whatever is missing
        self._clock.observe(row["clock_ahead"])
        record = None
        if row["key_fingerprint"] is not None:
            record = Record(row["key_fingerprint"], row["key_action_id"], row["key_reply"])
        return Loaded(None if row["id"] is None else payment_of(row), record)

    async def load_action(self, merchant_id: str, action_id: str) -> InDoubt | None:
        """Return an action with what is needed to settle it, from one snapshot."""
        async with translated():
            rows = await self._reads.fetch(SQL["load_action"], merchant_id, action_id)
        if not rows:
            return None
        self._clock.observe(rows[0]["clock_ahead"])
        payment = payment_of(rows[0])
        actions = {row["action_id"]: action_of(row, payment_id=payment.id) for row in rows}
        return InDoubt(
            payment, actions[action_id], actions[payment.authorization_id], rows[0]["reply"]
        )

    async def commit(self, change: Change) -> Commit:
        """Store a change, if the payment is still what it was decided on and the key is free.

        When the acknowledgement is lost, the action tells whether the change was stored. "Not
        there" proves nothing while the old backend may still run: the caller is told that the
        database is not available, and nothing is executed again blindly.
        """
        try:
            async with translated():
                return await self._group.commit(change)
        except DependencyUnavailableError:
            found = await self.load_action(change.payment.merchant_id, change.actions[0].id)
            if found and _same_end(found.action, change.actions[0]):
                return Commit.COMMITTED
            raise

    async def _write(self, changes: Sequence[Change]) -> list[Commit]:
        payments = [self._change_columns(change) for change in changes]
        actions = [
            action_columns(order, change.payment.merchant_id, action)
            for order, change in enumerate(changes, start=1)
            for action in change.actions
        ]
        rows = await self._writes.fetch(
            SQL["commit"],
            *zip(*payments, strict=True),
            *zip(*actions, strict=True),
            self._lease,
        )
        return [Commit[row["result"]] for row in rows]

    def _change_columns(self, change: Change) -> tuple[object, ...]:
        action, event, card = change.actions[0], change.event, change.card
        return (
            *payment_columns(change.payment),
            action.type,
            action.idempotency_key,
            action.id,
            change.fingerprint,
            FINGERPRINT_VERSION,
            change.reply,
            event and event.id,
            event and event.type,
            event and self._events.encode(event),
            card and card.data_key_id,
            card and card.ciphertext,
        )

    async def leave_pending(self, merchant_id: str, action: Action, reply: bytes) -> None:
        """Store a reply that says PENDING, and hand the action to recovery at once."""
        async with translated():
            await self._reads.execute(SQL["leave_pending"], merchant_id, action.id, reply)

    async def take_due(self, *, limit: int, lease: timedelta) -> Sequence[tuple[str, str]]:
        """Lease PENDING actions that are due: (merchant id, action id), the longest due first."""
        async with translated():
            rows = await self._reads.fetch(SQL["take_due"], limit, lease)
        return [(row["merchant_id"], row["id"]) for row in rows]

    async def postpone(self, merchant_id: str, action_id: str, *, by: timedelta) -> None:
        """Make a PENDING action due again after that time."""
        async with translated():
            await self._reads.execute(SQL["postpone"], merchant_id, action_id, by)

    async def list_expirable(self, *, limit: int) -> Sequence[tuple[str, str]]:
        """Return payments to expire: (merchant id, payment id), the longest due first."""
        async with translated():
            rows = await self._reads.fetch(SQL["list_expirable"], limit)
        return [(row["merchant_id"], row["id"]) for row in rows]

    async def read_clock(self) -> None:
        """Take over how far the sandbox is ahead, where no payment is loaded."""
        async with translated():
            self._clock.observe(await self._reads.fetchval(SQL["clock"]))

    async def remove_keys(self, *, before: datetime, limit: int) -> int:
        """Remove idempotency keys of ended actions that were claimed before that time."""
        async with translated():
            done = await self._reads.execute(SQL["remove_keys"], before, limit)
        return int(done.removeprefix("DELETE "))


def _same_end(stored: Action, wanted: Action) -> bool:
    return (stored.status, stored.decline) == (wanted.status, wanted.decline)
