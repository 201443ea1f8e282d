"""The store on PostgreSQL. Each step is written by a statement of its own, in `sql/`."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from pathlib import Path

import asyncpg

from pkg.errors import DependencyUnavailableError
from pkg.observe.metrics import Metrics
from pkg.observe.tracing import Tracer
from pkg.postgres.shards.lanes import Groups, groups_on
from pkg.postgres.shards.proofs import Proofs
from pkg.postgres.sql import Pool, Row, statements, translated
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.rows import (
    SETTLING,
    Step,
    action_of,
    beginning_columns,
    opening_columns,
    payment_of,
    step_of,
)
from services.payments.adapters.tally import StoreTally
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.outcome import Resolution
from services.payments.domain.payment import Payment
from services.payments.messages import Events
from services.payments.ports import (
    ActionPlace,
    Change,
    CommitResult,
    IdempotencyRecord,
    InDoubt,
    Loaded,
)

SQL = statements(Path(__file__).parent / "sql")

# Changes of one payment that are stored together: mostly one.
_Row = tuple[Change, ...]
# Merchant, payment, RPC, idempotency key.
_Wanted = tuple[str, str, str, str | None]

# One change of a group is at fault: a CHECK, a NUL, a number out of range.
_POISON = (asyncpg.IntegrityConstraintViolationError, asyncpg.DataError)


class PostgresStore:
    """Payments in PostgreSQL.

    Args:
        reads: Pool for statements that write nothing or a single row.
        writes: Pool of one connection for group commits: one is faster than several.
        events: Turns events into what the outbox holds.
        clocks: Told how far a merchant's is ahead, with every payment that is loaded.
        lease: After how long recovery may take up a PENDING action that nobody has settled.
        wait_seconds_max: How long a change may wait for those before it.
        tally: Counts what is done; one that nobody reads by default.
        tracer: Records the groups; None for nobody.
    """

    def __init__(
        self,
        reads: Pool,
        writes: Pool,
        *,
        events: Events,
        clocks: SandboxClocks,
        lease: timedelta,
        wait_seconds_max: float = 2.0,
        tally: StoreTally | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._reads = reads
        self._writes = writes
        self._events = events
        self._clocks = clocks
        self._lease = lease
        self._tally = tally = tally or StoreTally(Metrics())
        alike = partial(groups_on, wait_seconds_max=wait_seconds_max, tracer=tracer)
        self._commits: Groups[_Row, CommitResult] = alike(
            writes,
            self._write,
            merchant_of=lambda row: row[0].payment.merchant_id,
            kind=_kind_of,
            size=len,
            is_poisoned=lambda problem: isinstance(problem, _POISON),
            done=tally.commits.done,
            name="commit",
        )
        self._loads: Groups[_Wanted, Loaded] = alike(
            reads, self._load, merchant_of=itemgetter(0), done=tally.loads.done, name="load"
        )
        self._proofs = Proofs(reads, wait_seconds_max=wait_seconds_max, tracer=tracer)
        tally.show_waiting(lambda: {"commits": self._commits.waiting, "loads": self._loads.waiting})

    async def load(self, merchant_id: str, payment_id: str, *, rpc: str, key: str | None) -> Loaded:
        """Return the payment and the record of the idempotency key, from one snapshot."""
        with translated():
            return await self._loads.result_of((merchant_id, payment_id, rpc, key))

    async def _load(self, wanted: Sequence[_Wanted]) -> list[Loaded]:
        rows = await self._reads.fetch(SQL["load"], *zip(*wanted, strict=True))
        for (merchant_id, *_), row in zip(wanted, rows, strict=True):
            self._clocks.observe(merchant_id, row["clock"])
        return [_loaded(row) for row in rows]

    async def load_action(self, merchant_id: str, action_id: str) -> InDoubt | None:
        """Return an action with what is needed to settle it, from one snapshot."""
        with translated():
            rows = await self._reads.fetch(SQL["load_action"], merchant_id, action_id)
        if not rows:
            return None
        self._clocks.observe(merchant_id, rows[0]["clock"])
        payment = payment_of(rows[0])
        actions = {row["action_id"]: action_of(row, payment_id=payment.id) for row in rows}
        resolution = rows[0]["resolution"]
        return InDoubt(
            payment,
            actions[action_id],
            actions[payment.authorization_id],
            rows[0]["reply"],
            None if resolution is None else Resolution(resolution),
        )

    async def commit(self, change: Change) -> CommitResult:
        """Store a change, if the payment is still what it was decided on and the key is free."""
        return await self.commit_row((change,))

    async def commit_row(self, changes: Sequence[Change]) -> CommitResult:
        """Store changes of one payment, each decided on the one before: all of them, or none.

        When the acknowledgement is lost, the last action tells whether they were stored, once what
        is read of it is known to be kept. "Not there" proves nothing while the old backend may
        still run: the database is not available, and nothing is executed again blindly.
        """
        try:
            with translated():
                result = await self._commits.result_of(tuple(changes))
        except DependencyUnavailableError:
            action = changes[-1].actions[0]
            found = await self.load_action(changes[-1].payment.merchant_id, action.id)
            became = _what_became_of(action, found.action) if found else None
            if became is None:
                raise
            await self.ensure_kept(changes[-1].payment.merchant_id)
            result = became
        if result is CommitResult.COMMITTED:
            for change in changes:
                self._tally.committed(change)
        return result

    async def _write(self, rows: Sequence[_Row]) -> list[CommitResult]:
        """Store a group of single changes that are all the same step, or one row of several."""
        if len(rows[0]) > 1:
            return [await self._write_row(row) for row in rows]
        changes = [change for (change,) in rows]
        match step_of(changes[0]):
            case Step.OPEN:
                return await self._open(changes)
            case Step.BEGIN:
                return await self._begin(changes)
            case settling:
                return await self._settle(settling, changes)

    async def _write_row(self, changes: _Row) -> CommitResult:
        begins = step_of(changes[0]) is Step.BEGIN
        try:
            if begins:
                columns = zip(*map(beginning_columns, changes), strict=True)
                rows = await self._writes.fetch(SQL["begin_row"], *columns, self._lease)
            else:
                settled = self._settling_columns(Step.SETTLE_OPERATION, changes)
                rows = await self._writes.fetch(SQL["settle_row"], *settled)
        except _POISON:
            return CommitResult.KEY_HELD  # one by one, it will be seen which of them it is
        if rows[0]["is_stored"]:
            return CommitResult.COMMITTED
        return CommitResult.CONFLICT if begins or rows[0]["are_pending"] else CommitResult.KEY_HELD

    async def _open(self, changes: Sequence[Change]) -> list[CommitResult]:
        clocks = [self._clocks.decided(change.payment) for change in changes]
        columns = zip(*map(opening_columns, changes), strict=True)
        return await self._claim("open", len(changes), *columns, clocks, self._lease)

    async def _begin(self, changes: Sequence[Change]) -> list[CommitResult]:
        columns = *zip(*map(beginning_columns, changes), strict=True), self._lease
        return await self._claim("begin", len(changes), *columns)

    async def _claim(self, statement: str, count: int, *arguments: object) -> list[CommitResult]:
        rows = await self._writes.fetch(SQL[statement], *arguments)
        results = [CommitResult.CONFLICT] * count
        for row in rows:
            won = row["has_key"]
            results[row["ord"] - 1] = CommitResult.COMMITTED if won else CommitResult.KEY_HELD
        return results

    async def _settle(self, step: Step, changes: Sequence[Change]) -> list[CommitResult]:
        rows = await self._writes.fetch(SQL[step.value], *self._settling_columns(step, changes))
        results = [CommitResult.CONFLICT] * len(changes)
        for row in rows:
            results[row["ord"] - 1] = CommitResult.COMMITTED
        return results

    def _settling_columns(
        self, step: Step, changes: Sequence[Change]
    ) -> Iterator[tuple[object, ...]]:
        columns_of, encode = SETTLING[step], self._events.encode
        return zip(
            *(
                columns_of(change, encode(change.event, change.reply) if change.event else None)
                for change in changes
            ),
            strict=True,
        )

    async def ensure_kept(self, merchant_id: str) -> None:
        """Return when all that was read before of a merchant is kept, on the standbys too."""
        await self._proofs.ensure_kept(merchant_id)

    async def leave_pending(self, payment: Payment, action: Action, reply: bytes) -> None:
        """Store a reply that says PENDING, and hand the action to recovery at once."""
        with translated():
            await self._reads.execute(SQL["leave_pending"], payment.merchant_id, action.id, reply)
        self._tally.left_pending(payment, action)

    async def take_due(
        self, types: Collection[ActionType], *, limit: int, lease: timedelta
    ) -> Sequence[ActionPlace]:
        """Lease PENDING actions of these types that are due, the longest due first."""
        with translated():
            rows = await self._reads.fetch(SQL["take_due"], list(types), limit, lease)
        return [(row["merchant_id"], row["id"]) for row in rows]

    async def count_pending(self) -> tuple[int, float]:
        """Return how many actions are PENDING, up to a bound, and the age of the oldest of them."""
        with translated():
            rows = await self._reads.fetch(SQL["count_pending"])  # one for each shard
        return sum(row["count"] for row in rows), max(row["age_seconds"] for row in rows)

    async def postpone(self, actions: Collection[ActionPlace], *, by: timedelta) -> None:
        """Make those of these actions that are PENDING due again after that time."""
        with translated():
            await self._reads.execute(SQL["postpone"], *zip(*actions, strict=True), by)

    async def list_expirable(self, *, limit: int) -> Sequence[tuple[str, str]]:
        """Return payments to expire: (merchant id, payment id), the longest due first."""
        with translated():
            rows = await self._reads.fetch(SQL["list_expirable"], limit)
        return [(row["merchant_id"], row["id"]) for row in rows]

    async def read_clock(self, merchant_id: str) -> bool:
        """Take over a merchant's clock, where no payment is loaded; return whether that was new."""
        with translated():
            reading = await self._reads.fetchval(SQL["clock"], merchant_id)
        return self._clocks.observe(merchant_id, reading)

    async def remove_keys(
        self, *, before: datetime, limit: int, merchant_id: str | None = None
    ) -> int:
        """Remove idempotency keys of ended actions that were claimed before that time."""
        statement, of = ("remove_keys_of", [merchant_id]) if merchant_id else ("remove_keys", [])
        with translated():
            done = await self._reads.execute(SQL[statement], before, limit, *of)
        return int(done.removeprefix("DELETE "))


def _kind_of(row: _Row) -> object:
    """Return what goes together: single changes of one step; a row of several goes by itself."""
    return step_of(row[0]) if len(row) == 1 else id(row)


def _loaded(row: Row) -> Loaded:
    record = None
    if row["key_fingerprint"] is not None:
        record = IdempotencyRecord(row["key_fingerprint"], row["key_action_id"], row["key_reply"])
    return Loaded(None if row["id"] is None else payment_of(row), record)


def _what_became_of(wanted: Action, stored: Action) -> CommitResult | None:
    """Tell from the stored action what became of a change to it; None if that tells nothing.

    An action that has ended just as wanted, but at another time, was ended by somebody else while
    this process stood still. What they stored, the reply included, is not what we would have.
    """
    if (stored.status, stored.decline, stored.update_time) == (
        wanted.status,
        wanted.decline,
        wanted.update_time,
    ):
        return CommitResult.COMMITTED
    both_ended = ActionStatus.PENDING not in {stored.status, wanted.status}
    return CommitResult.CONFLICT if both_ended else None
