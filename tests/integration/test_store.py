"""The store's contract: one suite, held by the store in memory and by the one on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from pkg.errors import DependencyUnavailableError
from pkg.grpc.lists import ListPosition, Page, Period
from pkg.ids import new_id
from pkg.postgres.sql import Pool, open_pool
from pkg.postgres.tenancy import MerchantPool
from services.payments.adapters.clock import SandboxClock
from services.payments.adapters.memory import MemoryStore
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.postgres_reader import PostgresReader
from services.payments.api.codec import ProtoEvents
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.event import event_of
from services.payments.domain.hold import Hold
from services.payments.domain.payment import Payment
from services.payments.domain.status import Status
from services.payments.domain.views import PaymentView, action_view_of, view_of
from services.payments.ports import Change, CommitResult, Loaded, PaymentFilter, Reader, Store
from tests.builders import (
    LATER,
    LIFETIME,
    MERCHANT,
    NOW,
    a_reply,
    begun,
    capture,
    captured,
    gbp,
    settled,
    void_remainder,
)
from tests.database import as_part

LEASE = timedelta(seconds=10)
NO_LEASE = timedelta(seconds=-1)
ALL = frozenset(ActionType)
PUT_BACK = "UPDATE sandbox_clock SET ahead = interval '0', turns = turns + 1"
EVERYTHING = PaymentFilter()


@dataclass
class OnPostgres:
    """A store on PostgreSQL, and the pool to look behind it."""

    store: PostgresStore
    reader: PostgresReader
    pool: Pool


@pytest.fixture
async def on_postgres(payments_database_url: str) -> AsyncIterator[OnPostgres]:
    """A store on an empty database."""
    part = as_part(payments_database_url, "paygate_gateway")
    reads = await open_pool(part, size=4, command_timeout_seconds=5, name="test")
    writes = await open_pool(part, size=1, command_timeout_seconds=5, name="test")
    reader = as_part(payments_database_url, "paygate_reader")
    looks = await open_pool(reader, size=2, command_timeout_seconds=5, name="test")
    owner = await open_pool(payments_database_url, size=1, command_timeout_seconds=5, name="test")
    clock = SandboxClock()
    async with reads, writes, looks, owner:
        store = PostgresStore(reads, writes, events=ProtoEvents(), clock=clock, lease=LEASE)
        yield OnPostgres(store, PostgresReader(MerchantPool(looks), clock=clock), owner)


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    """Each of the stores, empty."""
    if request.param == "memory":
        return MemoryStore(lease=LEASE)
    on_postgres: OnPostgres = request.getfixturevalue("on_postgres")
    return on_postgres.store


@pytest.fixture
def reader(store: Store, request: pytest.FixtureRequest) -> Reader:
    """What looks at the payments of that store."""
    if isinstance(store, MemoryStore):
        return store
    on_postgres: OnPostgres = request.getfixturevalue("on_postgres")
    return on_postgres.reader


def keyed(step: tuple[Payment, Action], key: str | None = "k", fingerprint: bytes = b"f") -> Change:
    """Return the first commit of a request that carries an idempotency key."""
    payment, action = step
    action = replace(action, idempotency_key=key)
    return Change(payment=payment, actions=(action,), fingerprint=fingerprint if key else None)


def ended(first: Change, reply: bytes | None = None) -> Change:
    """Return the second commit: the bank has approved."""
    payment, action = settled((first.payment, first.actions[0]))
    event = event_of(payment, action, event_id=new_id("evt", LATER))
    return Change(payment=payment, actions=(action,), event=event, reply=reply)


async def stored(store: Store, change: Change) -> Change:
    """Store a change that must go through."""
    assert await store.commit(change) is CommitResult.COMMITTED
    return change


async def an_authorized(store: Store, **kwargs: object) -> Payment:
    """Store a payment that is authorised."""
    first = await stored(store, keyed(begun(**kwargs), key=None))  # type: ignore[arg-type]
    return (await stored(store, ended(first))).payment


async def test_a_new_payment_comes_back_as_it_was_stored(store: Store) -> None:
    """What is loaded equals what was committed, field by field, for payment and action."""
    change = await stored(store, keyed(begun(reference="order 7")))
    action = change.actions[0]
    loaded = await store.load(MERCHANT, change.payment.id, rpc=action.type, key="k")
    assert loaded.payment == change.payment
    assert loaded.record is not None
    assert (loaded.record.fingerprint, loaded.record.reply) == (b"f", None)
    found = await store.load_action(MERCHANT, action.id)
    assert found is not None
    assert (found.payment, found.action, found.authorization) == (change.payment, action, action)


async def test_a_settled_payment_comes_back_as_it_was_stored(store: Store, reader: Reader) -> None:
    """An update stores every field that a change may touch."""
    payment = await an_authorized(store)
    first = await stored(store, keyed(capture(payment, 400, final=True)))
    second = await stored(store, ended(first, a_reply("reply")))
    found = await store.load_action(MERCHANT, first.actions[0].id)
    assert found is not None
    assert (found.payment, found.action) == (second.payment, second.actions[0])
    assert found.authorization.status is ActionStatus.SUCCEEDED
    assert found.reply == a_reply("reply")
    assert await reader.get_payment(MERCHANT, payment.id) == view_of(second.payment)
    assert await reader.get_payment("mer_b", payment.id) is None


async def test_a_release_of_the_rest_comes_back_as_it_was_stored(
    store: Store, reader: Reader
) -> None:
    """While it is under way, and when it has ended."""
    first = await stored(store, keyed(capture(await an_authorized(store), 400), key="c"))
    part = await stored(store, ended(first))
    begun_release = await stored(store, keyed(void_remainder(part.payment)))
    assert await reader.get_payment(MERCHANT, part.payment.id) == view_of(begun_release.payment)
    done = await stored(store, ended(begun_release, a_reply("reply")))
    found = await store.load_action(MERCHANT, done.actions[0].id)
    assert found is not None
    assert (found.payment, found.action) == (done.payment, done.actions[0])


async def test_nothing_is_stored_on_a_version_that_has_passed(store: Store) -> None:
    """Of two changes decided on one version the second is a conflict and leaves no trace."""
    payment = await an_authorized(store)
    await stored(store, keyed(capture(payment, 1), key=None))
    late = keyed(capture(payment, 2), key="late")
    assert await store.commit(late) is CommitResult.CONFLICT
    loaded = await store.load(MERCHANT, payment.id, rpc=late.actions[0].type, key="late")
    assert loaded.record is None
    assert await store.load_action(MERCHANT, late.actions[0].id) is None


async def test_a_held_key_lets_nothing_through(store: Store) -> None:
    """A second request with the same key stores neither its payment nor its action."""
    await stored(store, keyed(begun()))
    twin = keyed(begun(), fingerprint=b"other")
    assert await store.commit(twin) is CommitResult.KEY_HELD
    loaded = await store.load(MERCHANT, twin.payment.id, rpc="AUTHORIZE", key="k")
    assert loaded.payment is None
    assert loaded.record is not None
    assert loaded.record.fingerprint == b"f"


async def test_a_key_is_held_for_one_merchant_and_one_rpc(store: Store) -> None:
    """The same key is free for another merchant and for another RPC."""
    first = await stored(store, keyed(begun()))
    await stored(store, keyed(begun(merchant_id="mer_b")))
    authorized = (await stored(store, ended(first))).payment
    await stored(store, keyed(capture(authorized, 5)))


async def test_of_many_changes_at_once_one_wins(store: Store) -> None:
    """Changes decided on one version and sent together: one is committed, the others conflict."""
    payment = await an_authorized(store)
    changes = [keyed(capture(payment, 10), key=None) for _ in range(30)]
    results = await asyncio.gather(*map(store.commit, changes))
    assert sorted(result.name for result in results) == ["COMMITTED"] + ["CONFLICT"] * 29
    loaded = await store.load(MERCHANT, payment.id, rpc="", key=None)
    assert loaded.payment is not None
    assert loaded.payment.capturing == gbp(10)


async def test_of_many_twins_at_once_one_gets_the_key(store: Store) -> None:
    """Requests with one key that arrive together: one is committed, the others find it held."""
    results = await asyncio.gather(*(store.commit(keyed(begun())) for _ in range(30)))
    assert sorted(result.name for result in results) == ["COMMITTED"] + ["KEY_HELD"] * 29


async def test_changes_of_many_payments_go_together(store: Store, reader: Reader) -> None:
    """A group of changes that have nothing to do with each other is stored whole."""
    firsts = [keyed(begun(), key=f"k{n}") for n in range(100)]
    results = await asyncio.gather(*map(store.commit, firsts))
    assert set(results) == {CommitResult.COMMITTED}
    results = await asyncio.gather(*(store.commit(ended(first, a_reply("r"))) for first in firsts))
    assert set(results) == {CommitResult.COMMITTED}
    listed = await reader.list_payments(MERCHANT, EVERYTHING, place=None, size=200)
    assert {payment.id for payment in listed.items} == {first.payment.id for first in firsts}
    assert {payment.status for payment in listed.items} == {Status.AUTHORIZED}


async def test_an_action_that_has_ended_is_never_changed_again(store: Store) -> None:
    """A second settlement is refused by the store itself, whatever version it claims."""
    first = await stored(store, keyed(begun()))
    second = await stored(store, ended(first))
    again = replace(second.payment, version=second.payment.version + 1)
    failed = second.actions[0].ended(ActionStatus.FAILED, LATER)
    assert await store.commit(Change(payment=again, actions=(failed,))) is CommitResult.CONFLICT
    found = await store.load_action(MERCHANT, failed.id)
    assert found is not None
    assert found.action == second.actions[0]


async def test_a_reply_is_stored_with_the_change_that_ends_the_action(store: Store) -> None:
    """After the second commit the key answers with the stored bytes."""
    first = await stored(store, keyed(begun()))
    await stored(store, ended(first, a_reply("\x00bytes")))
    loaded = await store.load(MERCHANT, "", rpc="AUTHORIZE", key="k")
    assert loaded.record is not None
    assert loaded.record.reply == a_reply("\x00bytes")


async def test_a_pending_reply_never_replaces_a_final_one(store: Store) -> None:
    """`leave_pending` stores its reply only while the action is PENDING and has none."""
    first = await stored(store, keyed(begun()))
    action = first.actions[0]
    await store.leave_pending(first.payment, action, a_reply("pending"))
    loaded = await store.load(MERCHANT, "", rpc="AUTHORIZE", key="k")
    assert loaded.record is not None
    assert loaded.record.reply == a_reply("pending")
    await stored(store, ended(first, a_reply("final")))
    await store.leave_pending(first.payment, action, a_reply("late"))
    loaded = await store.load(MERCHANT, "", rpc="AUTHORIZE", key="k")
    assert loaded.record is not None
    assert loaded.record.reply == a_reply("final")


async def test_a_pending_action_is_due_after_its_lease(store: Store) -> None:
    """Recovery gets an action once it is handed over, and one taker at a time."""
    first = await stored(store, keyed(begun()))
    action = first.actions[0]
    assert await store.take_due(ALL, limit=10, lease=LEASE) == []
    await store.leave_pending(first.payment, action, a_reply("pending"))
    assert await store.take_due({ActionType.CAPTURE}, limit=10, lease=LEASE) == []
    assert list(await store.take_due(ALL, limit=10, lease=LEASE)) == [(MERCHANT, action.id)]
    assert await store.take_due(ALL, limit=10, lease=LEASE) == []
    await store.postpone([(MERCHANT, action.id), (MERCHANT, "act_gone")], by=NO_LEASE)
    taken = await store.take_due({ActionType.AUTHORIZE}, limit=10, lease=NO_LEASE)
    assert list(taken) == [(MERCHANT, action.id)]
    await stored(store, ended(first))
    await store.postpone([(MERCHANT, action.id)], by=NO_LEASE)
    assert await store.take_due(ALL, limit=10, lease=LEASE) == []


async def test_takers_share_what_is_due(store: Store) -> None:
    """Two recoveries at once never take the same action."""
    for number in range(20):
        first = await stored(store, keyed(begun(), key=f"k{number}"))
        await store.leave_pending(first.payment, first.actions[0], b"")
    taken = await asyncio.gather(*(store.take_due(ALL, limit=5, lease=LEASE) for _ in range(4)))
    places = [place for batch in taken for place in batch]
    assert len(places) == len(set(places)) == 20


async def test_old_keys_of_ended_actions_are_removed(store: Store) -> None:
    """The sweep removes keys past their time, but none whose action is PENDING."""
    done = await stored(store, keyed(begun(), key="done"))
    await stored(store, ended(done))
    await stored(store, keyed(begun(), key="pending"))
    assert await store.remove_keys(before=NOW, limit=10) == 0
    assert await store.remove_keys(before=LATER, limit=10) == 1
    assert (await store.load(MERCHANT, "", rpc="AUTHORIZE", key="done")).record is None
    assert (await store.load(MERCHANT, "", rpc="AUTHORIZE", key="pending")).record is not None


async def test_actions_are_listed_oldest_first(store: Store, reader: Reader) -> None:
    """The history of a payment comes by sequence, a page at a time; None without a payment."""
    payment = await an_authorized(store)
    for _ in range(3):
        change = await stored(store, ended(await stored(store, keyed(capture(payment, 1), None))))
        payment = change.payment
    listed = await reader.list_actions(MERCHANT, payment.id, after_sequence=0, limit=3)
    assert [action.sequence for action in listed or ()] == [1, 2, 3]
    listed = await reader.list_actions(MERCHANT, payment.id, after_sequence=3, limit=3)
    assert [action.sequence for action in listed or ()] == [4]
    assert await reader.list_actions(MERCHANT, payment.id, after_sequence=4, limit=3) == []
    assert await reader.list_actions("mer_b", payment.id, after_sequence=0, limit=3) is None
    assert await reader.list_actions(MERCHANT, "pay_0", after_sequence=0, limit=3) is None


async def test_a_payment_comes_with_its_actions(store: Store, reader: Reader) -> None:
    """Both are of one instant, the actions oldest first; of another merchant there is nothing."""
    first = await stored(store, keyed(begun(), key=None))
    second = await stored(store, ended(first))
    third = await stored(store, keyed(capture(second.payment, 1), key=None))
    found = await reader.get_payment_with_actions(MERCHANT, first.payment.id, limit=9)
    assert found is not None
    actions = map(action_view_of, [*second.actions, *third.actions])
    assert (found[0], list(found[1])) == (view_of(third.payment), list(actions))
    assert await reader.get_payment_with_actions("mer_b", first.payment.id, limit=9) is None


async def test_a_payment_is_never_older_than_its_actions(on_postgres: OnPostgres) -> None:
    """Looked at while it is settled: no payment is PENDING whose authorization has ended."""
    firsts = [await stored(on_postgres.store, keyed(begun(), key=None)) for _ in range(150)]

    async def look(first: Change) -> None:
        while True:
            found = await on_postgres.reader.get_payment_with_actions(
                MERCHANT, first.payment.id, limit=9
            )
            assert found is not None
            payment, (action,) = found
            assert (payment.status == Status.PENDING) is (action.status == ActionStatus.PENDING)
            if payment.status != Status.PENDING:
                return

    async def settle(first: Change) -> None:
        await asyncio.sleep(0.002)  # the others look meanwhile
        await stored(on_postgres.store, ended(first))

    for first in firsts:
        await asyncio.gather(look(first), look(first), settle(first))


async def test_of_many_actions_the_newest_come_with_their_payment(
    store: Store, reader: Reader
) -> None:
    """As many as are asked for, oldest first."""
    payment = await an_authorized(store)
    for _ in range(4):
        first = await stored(store, keyed(capture(payment, 1), key=None))
        payment = (await stored(store, ended(first))).payment
    found = await reader.get_payment_with_actions(MERCHANT, payment.id, limit=3)
    assert found is not None
    assert found[0] == view_of(payment)
    assert [action.sequence for action in found[1]] == [3, 4, 5]


async def test_payments_are_listed_newest_first(store: Store, reader: Reader) -> None:
    """Filters are joined, bounds are half-open, pages follow each other, merchants are apart."""
    hours = [NOW + timedelta(hours=n) for n in range(5)]
    ids = [
        (await an_authorized(store, now=hour, reference=f"r{n % 2}")).id
        for n, hour in enumerate(hours)
    ]
    await an_authorized(store, merchant_id="mer_b")
    pending = (await stored(store, keyed(begun(now=hours[4]), key=None))).payment.id

    async def listed(wanted: PaymentFilter, place: ListPosition | None = None) -> list[str]:
        found = await reader.list_payments(MERCHANT, wanted, place=place, size=3)
        return [payment.id for payment in found.items]

    newest = [pending, *reversed(ids)]
    first = await reader.list_payments(MERCHANT, EVERYTHING, place=None, size=3)
    assert [payment.id for payment in first.items] == newest[:3]
    assert first.has_more
    assert await listed(EVERYTHING, first.place) == newest[3:]
    assert await listed(PaymentFilter(status=Status.PENDING)) == [pending]
    assert await listed(PaymentFilter(reference="r1")) == [ids[3], ids[1]]
    assert await listed(PaymentFilter(reference="r1", status=Status.PENDING)) == []
    bounds = PaymentFilter(made=Period(after=hours[1], before=hours[3]))
    assert await listed(bounds) == [ids[2], ids[1]]


async def test_payments_are_followed_oldest_first(store: Store, reader: Reader) -> None:
    """From a place that was kept a list goes on with what was committed since, and only that."""
    hours = [NOW + timedelta(hours=n) for n in range(4)]
    ids = [
        (await an_authorized(store, now=hour, reference=f"r{n % 2}")).id
        for n, hour in enumerate(hours)
    ]

    async def followed(
        wanted: PaymentFilter, place: ListPosition | None = None
    ) -> Page[PaymentView]:
        return await reader.follow_payments(MERCHANT, wanted, place=place, size=3)

    def ids_of(page: Page[PaymentView]) -> list[str]:
        return [payment.id for payment in page.items]

    page = await followed(EVERYTHING)
    assert (ids_of(page), page.has_more) == (ids[:3], True)
    page = await followed(EVERYTHING, page.place)
    assert (ids_of(page), page.has_more) == (ids[3:], False)
    assert ids_of(await followed(EVERYTHING, page.place)) == []
    late = (await an_authorized(store, now=hours[3], reference="r1")).id
    assert ids_of(await followed(EVERYTHING, page.place)) == [late]
    assert ids_of(await followed(PaymentFilter(reference="r1"))) == [ids[1], ids[3], late]
    bounds = PaymentFilter(made=Period(after=hours[1], before=hours[3]))
    assert ids_of(await followed(bounds)) == ids[1:3]


async def test_expirable_payments_are_listed(store: Store, request: pytest.FixtureRequest) -> None:
    """Open payments past their time are, unless an action of theirs is in flight."""
    due = await an_authorized(store)
    partly = await an_authorized(store)
    first = await stored(store, keyed(capture(partly, 400), key=None))
    partly = (await stored(store, ended(first))).payment
    busy = await an_authorized(store)
    await stored(store, keyed(capture(busy, 400), key=None))
    await an_authorized(store, now=NOW + timedelta(days=1))
    if isinstance(store, MemoryStore):
        store.now = lambda: NOW + LIFETIME
    else:
        await request.getfixturevalue("on_postgres").pool.execute(
            "INSERT INTO sandbox_clock (ahead) VALUES ($1 - clock_timestamp())", NOW + LIFETIME
        )
    assert {id_ for _, id_ in await store.list_expirable(limit=9)} == {due.id, partly.id}
    begun_expiry = due.expire(action_id=new_id("act", LATER), now=NOW + LIFETIME)
    assert begun_expiry is not None
    await stored(store, keyed(begun_expiry, key=None))
    assert {id_ for _, id_ in await store.list_expirable(limit=9)} == {partly.id}


async def test_every_load_brings_the_clock_up_to_date(on_postgres: OnPostgres) -> None:
    """A clock that is turned by another process is seen with the next payment."""
    clock = on_postgres.store._clock
    payment = await an_authorized(on_postgres.store)
    action_id = payment.authorization_id
    statement = (
        "INSERT INTO sandbox_clock (ahead) VALUES ($1)"
        " ON CONFLICT (singleton) DO UPDATE SET ahead = EXCLUDED.ahead"
    )
    reads: list[Callable[[], Awaitable[object]]] = [
        lambda: on_postgres.store.load(MERCHANT, "", rpc="", key=None),
        lambda: on_postgres.store.load_action(MERCHANT, action_id),
        lambda: on_postgres.reader.get_payment(MERCHANT, payment.id),
        on_postgres.store.read_clock,
    ]
    for day, read in enumerate(reads, start=1):
        await on_postgres.pool.execute(statement, timedelta(days=day))
        await read()
        assert clock.now() - datetime.now(UTC) > timedelta(days=day, seconds=-5)
    overtaken = clock.reading
    await on_postgres.pool.execute(PUT_BACK)
    await on_postgres.store.read_clock()
    clock.observe(overtaken)
    assert clock.now() - datetime.now(UTC) < timedelta(seconds=5)


async def test_nothing_begins_by_a_clock_that_has_been_turned(on_postgres: OnPostgres) -> None:
    """A payment that another clock decided is a conflict until it is decided anew."""
    store, clock = on_postgres.store, on_postgres.store._clock
    turn = (
        "INSERT INTO sandbox_clock (ahead) VALUES ($1)"
        " ON CONFLICT (singleton) DO UPDATE SET ahead = EXCLUDED.ahead"
    )
    before = keyed(begun(now=clock.now()))
    await on_postgres.pool.execute(turn, timedelta(days=1))
    assert await store.commit(before) is CommitResult.CONFLICT
    loaded = await store.load(MERCHANT, before.payment.id, rpc="AUTHORIZE", key="k")
    assert loaded == Loaded(None, None)
    # The clock is known by now, but what was decided before is none the better for that.
    assert await store.commit(before) is CommitResult.CONFLICT
    await stored(store, keyed(begun(now=clock.now())))
    ahead = keyed(begun(now=clock.now()), key="k2")
    await on_postgres.pool.execute(PUT_BACK)
    for _ in range(2):
        assert await store.commit(ahead) is CommitResult.CONFLICT
        await store.load(MERCHANT, ahead.payment.id, rpc="AUTHORIZE", key="k2")
    await stored(store, keyed(begun(now=clock.now()), key="k2"))


async def test_one_bad_change_does_not_spoil_its_group(on_postgres: OnPostgres) -> None:
    """A CHECK that one change of a group violates fails that change alone."""
    payment = await an_authorized(on_postgres.store)
    good = [keyed(begun(), key=f"k{n}") for n in range(10)]
    bad = keyed(capture(payment, 400), key="bad")
    bad = replace(bad, payment=replace(bad.payment, capturing=gbp(1001)))
    results = await asyncio.gather(
        *map(on_postgres.store.commit, [*good[:5], bad, *good[5:]]), return_exceptions=True
    )
    assert isinstance(results.pop(5), asyncpg.CheckViolationError)
    assert set(results) == {CommitResult.COMMITTED}
    loaded = await on_postgres.store.load(MERCHANT, payment.id, rpc="CAPTURE", key="bad")
    assert (loaded.payment, loaded.record) == (payment, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"captured": gbp(1001)},
        {"captured": gbp(600), "capturing": gbp(500)},
        {"captured": gbp(-1)},
        {"captured": gbp(500), "refunded": gbp(501)},
        {"captured": gbp(500), "refunded": gbp(300), "refunding": gbp(201)},
        {"captured": gbp(500), "refunding": gbp(1), "capturing": gbp(1)},
        {"captured": gbp(500), "hold": Hold.VOIDED},
        {"capturing": gbp(500), "hold": Hold.VOIDING},
        {"capturing": gbp(500), "hold": Hold.EXPIRING},
        {"hold": Hold.CLOSED},
        {"reversing": True},
    ],
    ids=str,
)
async def test_the_database_refuses_wrong_money(
    on_postgres: OnPostgres, wrong: dict[str, object]
) -> None:
    """Every rule about money is a CHECK: what the domain would never decide cannot be stored."""
    payment = await an_authorized(on_postgres.store)
    change = keyed(capture(payment, 1), key=None)
    if wrong.keys() & {"captured", "refunded"} or wrong.get("hold") is Hold.CLOSED:
        # What no action changes by its beginning is written when it has ended.
        change = ended(await stored(on_postgres.store, change))
    spoilt = replace(change.payment, **{"captured": gbp(0), "capturing": gbp(0), **wrong})  # type: ignore[arg-type]
    with pytest.raises(asyncpg.CheckViolationError):
        await on_postgres.store.commit(replace(change, payment=spoilt))


FLAGS = ("closing", "closed", "voiding", "voided", "expiring", "expired")


@pytest.mark.parametrize("first", FLAGS)
async def test_the_database_knows_one_state_of_a_hold(on_postgres: OnPostgres, first: str) -> None:
    """No two of its flags are set together, but for what a version before could write."""
    payment = await an_authorized(on_postgres.store)
    for second in FLAGS:
        if first == second or {first, second} == {"closed", "expiring"}:
            continue
        # Of this list alone, and of no one else.
        statement = f"UPDATE payments SET {first} = true, {second} = true WHERE id = $1"  # noqa: S608
        with pytest.raises(asyncpg.CheckViolationError):
            await on_postgres.pool.execute(statement, payment.id)


async def test_an_older_versions_expiry_is_one(on_postgres: OnPostgres) -> None:
    """It could set `closed` beside `expiring`: that is an expiry under way."""
    payment = captured(await an_authorized(on_postgres.store), 400)
    await on_postgres.pool.execute(
        "UPDATE payments SET captured = 400, closed = true, expiring = true WHERE id = $1",
        payment.id,
    )
    found = await on_postgres.reader.get_payment(MERCHANT, payment.id)
    assert found is not None
    assert not found.is_open
    loaded = await on_postgres.store.load(MERCHANT, payment.id, rpc="", key=None)
    assert loaded.payment is not None
    assert loaded.payment.hold is Hold.EXPIRING


async def test_every_change_that_ends_an_action_leaves_an_event(on_postgres: OnPostgres) -> None:
    """The outbox gets the event in the same statement, with the payment's version as sequence."""
    first = await stored(on_postgres.store, keyed(begun()))
    second = await stored(on_postgres.store, ended(first))
    rows = await on_postgres.pool.fetch("SELECT id, payment_id, sequence, type FROM outbox")
    assert second.event is not None
    assert [tuple(row) for row in rows] == [
        (second.event.id, second.payment.id, 2, "payment.authorized")
    ]


async def test_a_commit_without_acknowledgement_is_looked_up(on_postgres: OnPostgres) -> None:
    """A connection cut after the commit is no failure if the action turns out to be stored."""
    change = keyed(begun())
    writes = on_postgres.store._writes

    class Cut:
        """Commits, and then loses the acknowledgement."""

        async def fetch(self, statement: str, *arguments: object) -> object:
            await writes.fetch(statement, *arguments)
            raise asyncpg.ConnectionDoesNotExistError

    on_postgres.store._writes = Cut()  # type: ignore[assignment]
    assert await on_postgres.store.commit(change) is CommitResult.COMMITTED


async def test_an_end_that_somebody_else_has_stored_is_not_ours(on_postgres: OnPostgres) -> None:
    """Cut off in a commit, and the action has ended as wanted, but by another hand: a conflict."""
    first = await stored(on_postgres.store, keyed(begun()))
    ours, writes = ended(first, a_reply("ours")), on_postgres.store._writes
    earlier = replace(ours.payment, update_time=LATER - timedelta(seconds=1))
    theirs = replace(ours, payment=earlier, reply=a_reply("theirs"))

    class Cut:
        """Loses the connection; meanwhile somebody else ends the action."""

        async def fetch(self, *_: object) -> object:
            on_postgres.store._writes = writes
            assert await on_postgres.store._write([(theirs,)]) == [CommitResult.COMMITTED]
            raise asyncpg.ConnectionDoesNotExistError

    on_postgres.store._writes = Cut()  # type: ignore[assignment]
    assert await on_postgres.store.commit(ours) is CommitResult.CONFLICT


async def test_a_commit_that_is_not_found_is_not_repeated(on_postgres: OnPostgres) -> None:
    """A connection cut before the commit proves nothing: the caller is told, nothing is stored."""

    class Cut:
        """Loses the connection before anything is written."""

        async def fetch(self, *_: object) -> object:
            raise asyncpg.ConnectionDoesNotExistError

    on_postgres.store._writes = Cut()  # type: ignore[assignment]
    change = keyed(begun())
    with pytest.raises(DependencyUnavailableError):
        await on_postgres.store.commit(change)
    assert await on_postgres.store.load_action(MERCHANT, change.actions[0].id) is None


def row_of(payment: Payment, *amounts: int, key: str | None = None) -> list[Change]:
    """Return captures of a payment, each decided on the one before; the last one is keyed."""
    row = []
    for number, amount in enumerate(amounts, start=1):
        change = keyed(capture(payment, amount), key if number == len(amounts) else None)
        row.append(change)
        payment = change.payment
    return row


def ends_of(payment: Payment, row: Sequence[Change]) -> list[Change]:
    """Return the ends of captures, each settled on the one before."""
    ends = []
    for change in row:
        end = ended(replace(change, payment=payment), a_reply(change.actions[0].id))
        ends.append(end)
        payment = end.payment
    return ends


async def test_a_row_is_stored_whole(store: Store, reader: Reader) -> None:
    """Its actions, its keys, its replies, and what the last one leaves of the payment."""
    payment = await an_authorized(store)
    row = row_of(payment, 100, 20, 3, key="row")
    assert await store.commit_row(row) is CommitResult.COMMITTED
    loaded = await store.load(MERCHANT, payment.id, rpc="CAPTURE", key="row")
    assert loaded.payment == row[-1].payment
    assert loaded.record is not None
    assert loaded.record.action_id == row[-1].actions[0].id
    ends = ends_of(row[-1].payment, row)
    assert await store.commit_row(ends) is CommitResult.COMMITTED
    assert await reader.get_payment(MERCHANT, payment.id) == view_of(ends[-1].payment)
    assert ends[-1].payment.captured == gbp(123)
    for end in ends:
        found = await store.load_action(MERCHANT, end.actions[0].id)
        assert found is not None
        assert found.action == end.actions[0]
    loaded = await store.load(MERCHANT, "", rpc="CAPTURE", key="row")
    assert loaded.record is not None
    assert loaded.record.reply == ends[-1].reply


async def test_a_row_on_an_old_version_is_a_conflict(store: Store) -> None:
    """Nothing of it is stored, neither of its beginning nor of its end."""
    payment = await an_authorized(store)
    first = await stored(store, keyed(capture(payment, 1), key=None))
    late = row_of(payment, 5, 6, key="late")
    assert await store.commit_row(late) is CommitResult.CONFLICT
    loaded = await store.load(MERCHANT, payment.id, rpc="CAPTURE", key="late")
    assert (loaded.payment, loaded.record) == (first.payment, None)
    row = row_of(first.payment, 5, 6)
    assert await store.commit_row(row) is CommitResult.COMMITTED
    assert await store.commit_row(ends_of(first.payment, row)) is CommitResult.CONFLICT
    loaded = await store.load(MERCHANT, payment.id, rpc="", key=None)
    assert loaded.payment == row[-1].payment


async def test_a_row_with_a_key_that_is_held_is_not_stored(store: Store) -> None:
    """Nor one that wants a key twice; its other keys stay free."""
    payment = await an_authorized(store)
    first = await stored(store, keyed(capture(payment, 1), key="held"))
    row = [
        keyed(capture(first.payment, 5), "free"),
        *row_of(capture(first.payment, 5)[0], 6, key="held"),
    ]
    assert await store.commit_row(row) is CommitResult.KEY_HELD
    twice = [
        keyed(capture(first.payment, 5), "twice"),
        *row_of(capture(first.payment, 5)[0], 6, key="twice"),
    ]
    assert await store.commit_row(twice) is CommitResult.KEY_HELD
    for key in ("free", "twice"):
        loaded = await store.load(MERCHANT, payment.id, rpc="CAPTURE", key=key)
        assert (loaded.payment, loaded.record) == (first.payment, None)


async def test_a_row_of_which_one_has_ended_is_not_stored(store: Store) -> None:
    """Whoever has ended it changed the payment: on that, too, the row is refused, and whole."""
    payment = await an_authorized(store)
    row = row_of(payment, 5, 6)
    assert await store.commit_row(row) is CommitResult.COMMITTED
    (first, second) = ends_of(row[-1].payment, row)
    await stored(store, first)
    again = ended(replace(row[0], payment=first.payment))
    both = [again, ended(replace(row[1], payment=again.payment))]
    assert await store.commit_row(both) is CommitResult.KEY_HELD
    loaded = await store.load(MERCHANT, payment.id, rpc="", key=None)
    assert loaded.payment == first.payment
    assert await store.commit(second) is CommitResult.COMMITTED


async def test_a_row_whose_money_is_wrong_is_not_stored(on_postgres: OnPostgres) -> None:
    """A CHECK refuses all of it; one by one it is seen which of them it was."""
    payment = await an_authorized(on_postgres.store)
    row = row_of(payment, 5, 6)
    spoilt = replace(row[-1].payment, capturing=gbp(1001))
    wrong = [row[0], replace(row[1], payment=spoilt)]
    assert await on_postgres.store.commit_row(wrong) is CommitResult.KEY_HELD
    loaded = await on_postgres.store.load(MERCHANT, payment.id, rpc="", key=None)
    assert loaded.payment == payment


async def test_a_row_whose_acknowledgement_is_lost_is_looked_up(on_postgres: OnPostgres) -> None:
    """Its last action tells what became of all."""
    payment = await an_authorized(on_postgres.store)
    writes = on_postgres.store._writes

    class Cut:
        """Commits, and then loses the acknowledgement."""

        async def fetch(self, statement: str, *arguments: object) -> object:
            await writes.fetch(statement, *arguments)
            raise asyncpg.ConnectionDoesNotExistError

    on_postgres.store._writes = Cut()  # type: ignore[assignment]
    row = row_of(payment, 5, 6)
    assert await on_postgres.store.commit_row(row) is CommitResult.COMMITTED
    ends = ends_of(row[-1].payment, row)
    assert await on_postgres.store.commit_row(ends) is CommitResult.COMMITTED
