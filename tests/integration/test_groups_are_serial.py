"""Groups: whatever goes together, it is as if one change had come after the other."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from itertools import chain

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pkg.ids import new_id
from pkg.postgres.sql import open_pool
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.memory import MemoryStore
from services.payments.adapters.postgres import PostgresStore
from services.payments.api.codec import ProtoEvents
from services.payments.domain.action import Action
from services.payments.domain.event import event_of
from services.payments.domain.outcome import Approved, DeclineCode, Declined
from services.payments.domain.payment import Payment
from services.payments.ports import Change, CommitResult, Store
from tests.builders import LATER, a_reply, begun, capture, refund, settled, void
from tests.database import as_part
from tests.integration.store.changes import LEASE

KEYS = ("k0", "k1", None)
WORKERS = 2
# What is done at once: kind, which payment, amount, key, by which worker.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            (
                "open",
                "capture",
                "one more capture",
                "void",
                "refund",
                "settle",
                "decline",
                "begin row",
                "settle row",
            )
        ),
        st.integers(0, 2),
        st.integers(1, 700),
        st.sampled_from(KEYS),
        st.integers(0, WORKERS - 1),
    ),
    min_size=2,
    max_size=7,
)
Step = tuple[str, int, int, str | None, int]
# What one request stores; of several changes each is decided on the one before.
Row = tuple[Change, ...]


@dataclass
class World:
    """A merchant of its own: what is stored before, and what then happens at once."""

    merchant_id: str
    before: list[Change] = field(default_factory=list)
    open: list[Payment] = field(default_factory=list)
    captured: list[Payment] = field(default_factory=list)
    pending: list[tuple[Payment, Action, Action]] = field(default_factory=list)

    def change(self, step: tuple[Payment, Action], key: str | None = None) -> Change:
        """Return the first commit of a request."""
        payment, action = step
        action = replace(action, idempotency_key=key)
        # Each request's own: whose key it is can be told by that.
        fingerprint = action.id.encode() if key else None
        return Change(payment=payment, actions=(action,), fingerprint=fingerprint)

    def end(self, begun_step: tuple[Payment, Action], *, declined: bool = False) -> Change:
        """Return the second commit."""
        answer = Declined(DeclineCode.CARD_DECLINED) if declined else Approved()
        payment, action = settled(begun_step, answer)
        event = event_of(payment, action, event_id=new_id("evt", LATER))
        return Change(payment=payment, actions=(action,), event=event, reply=a_reply(action.status))

    def remember(self, change: Change) -> tuple[Payment, Action]:
        """Have a change stored before anything happens."""
        self.before.append(change)
        return change.payment, change.actions[0]


def world() -> World:
    """Return payments that are open, captured, and in the middle of two captures; three of each."""
    it = World(new_id("mer", LATER))
    for _ in range(3):
        for kept in (it.open, it.captured, None):
            first = it.remember(it.change(begun(merchant_id=it.merchant_id)))
            payment, _ = it.remember(it.end(first))
            if kept is it.open:
                it.open.append(payment)
                continue
            payment, first_capture = under_way = it.remember(it.change(capture(payment, 600)))
            if kept is None:
                payment, second = it.remember(it.change(capture(payment, 50)))
                it.pending.append((payment, first_capture, second))
            else:
                it.captured.append(it.remember(it.end(under_way))[0])
    return it


def changed(it: World, step: Step) -> Change:
    """Return what one request wants to store, decided on what was there before all of them."""
    kind, place, amount, key, _ = step
    match kind:
        case "open":
            return it.change(begun(merchant_id=it.merchant_id), key)
        case "capture":
            return it.change(capture(it.open[place], amount), key)
        case "one more capture":
            return it.change(capture(it.pending[place][0], 7), key)
        case "void":
            return it.change(void(it.open[place]), key)
        case "refund":
            return it.change(refund(it.captured[place], min(amount, 600)), key)
        case _:
            payment, capture_1, _ = it.pending[place]
            return it.end((payment, capture_1), declined=kind == "decline")


def row_of(it: World, step: Step) -> Row:
    """Return all that one request wants to store, two captures in a row included."""
    kind, place, amount, key, worker = step
    match kind:
        case "begin row":
            one = changed(it, ("capture", place, amount, "k0" if amount % 2 else None, worker))
            return one, it.change(capture(one.payment, 50), key)
        case "settle row":
            one = changed(it, ("decline" if amount % 2 else "settle", place, amount, key, worker))
            return one, it.end((one.payment, it.pending[place][2]))
        case _:
            return (changed(it, step),)


async def stored(store: Store, row: Row) -> CommitResult:
    """Store what one request wants to."""
    return await (store.commit_row(row) if len(row) > 1 else store.commit(row[0]))


async def state(store: Store, it: World, rows: Sequence[Row]) -> list[object]:
    """Return all that can be told of the payments, the actions and the keys."""
    seen: list[object] = []
    for change in chain(it.before, *rows):
        action = change.actions[0]
        seen.append(await store.load(it.merchant_id, change.payment.id, rpc="", key=None))
        found = await store.load_action(it.merchant_id, action.id)
        seen.append(found and (found.action, found.reply))
    for rpc in ("AUTHORIZE", "CAPTURE", "VOID", "REFUND"):
        seen += [await store.load(it.merchant_id, "", rpc=rpc, key=key) for key in KEYS]
    return seen


def has_lost(row: Row, rows: Sequence[Row], result: CommitResult) -> bool:
    """Tell whether it is told to decide again for another request's sake, on the same payment.

    Of a group's changes to one payment the first goes, whether it is stored or its key is held; the
    others must have done nothing. Nor has a row of ends of which one was ended by another request.
    """
    has_rival = [other[0].payment.id for other in rows].count(row[0].payment.id) > 1
    is_row_of_ends = len(row) > 1 and row[0].event is not None
    return has_rival and (
        result is CommitResult.CONFLICT or (is_row_of_ends and result is CommitResult.KEY_HELD)
    )


async def in_some_order(
    it: World, rows: Sequence[Row], results: Sequence[CommitResult], wanted: list[object]
) -> list[int] | None:
    """Return an order in which the store in memory gives the same results and ends the same."""

    async def after(order: list[int]) -> MemoryStore | None:
        store = MemoryStore(lease=LEASE)
        for change in it.before:
            assert await store.commit(change) is CommitResult.COMMITTED
        for number in order:
            row, result = rows[number], results[number]
            if not has_lost(row, rows, result) and await stored(store, row) is not result:
                return None
        return store

    async def search(order: list[int]) -> list[int] | None:
        store = await after(order)
        if store is None:
            return None
        if len(order) == len(rows):
            return order if await state(store, it, rows) == wanted else None
        for number in range(len(rows)):
            if number not in order and (found := await search([*order, number])):
                return found
        return None

    return await search([])


@pytest.fixture
async def workers(payments_database_url: str) -> AsyncIterator[list[PostgresStore]]:
    """The stores of two workers on one database."""
    part = as_part(payments_database_url, "paygate_gateway")
    async with AsyncExitStack() as stack:
        stores = []
        for _ in range(WORKERS):
            pools = [
                await stack.enter_async_context(
                    await open_pool(part, size=1, command_timeout_seconds=5, name="test")
                )
                for _ in range(2)
            ]
            stores.append(
                PostgresStore(*pools, events=ProtoEvents(), clocks=SandboxClocks(), lease=LEASE)
            )
        yield stores


# Rows on a payment that somebody changes before them: seldom found.
@example(steps=[("capture", 0, 1, None, 0), ("begin row", 0, 1, None, 0)])
@example(steps=[("capture", 1, 1, "k0", 0), ("begin row", 0, 1, "k1", 0)])
@example(steps=[("one more capture", 0, 1, None, 0), ("settle row", 0, 1, None, 0)])
@example(steps=[("settle", 0, 1, None, 0), ("settle row", 0, 1, None, 0)])
@given(steps=STEPS)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_group_is_some_serial_order(
    workers: list[PostgresStore], steps: list[Step]
) -> None:
    """Results and everything that is stored are those of one change after the other."""
    it = world()
    for change in it.before:
        assert await workers[0].commit(change) is CommitResult.COMMITTED
    rows = [row_of(it, step) for step in steps]
    results = await asyncio.gather(
        *(stored(workers[step[4]], row) for step, row in zip(steps, rows, strict=True))
    )
    wanted = await state(workers[0], it, rows)
    assert await in_some_order(it, rows, results, wanted), (steps, results)
