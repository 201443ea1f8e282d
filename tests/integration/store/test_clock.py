"""The clock of the sandbox comes with every load, and nothing begins by an old one."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from services.payments.ports import CommitResult, Loaded, PaymentFilter
from tests.builders import MERCHANT, begun
from tests.integration.store.changes import OnPostgres, an_authorized, keyed, stored

TURN = (
    "INSERT INTO sandbox_clocks (merchant_id, ahead) VALUES ($1, $2)"
    " ON CONFLICT (merchant_id) DO UPDATE SET ahead = EXCLUDED.ahead"
)
PUT_BACK = "UPDATE sandbox_clocks SET ahead = interval '0', turns = turns + 1"


async def test_every_load_brings_the_clock_up_to_date(on_postgres: OnPostgres) -> None:
    """A clock that is turned by another process is seen with the next payment."""
    clocks = on_postgres.store._clocks
    payment = await an_authorized(on_postgres.store)
    action_id = payment.authorization_id
    reads: list[Callable[[], Awaitable[object]]] = [
        lambda: on_postgres.store.load(MERCHANT, "", rpc="", key=None),
        lambda: on_postgres.store.load_action(MERCHANT, action_id),
        lambda: on_postgres.reader.get_payment(MERCHANT, payment.id),
        lambda: on_postgres.store.read_clock(MERCHANT),
        lambda: on_postgres.reader.list_payments(MERCHANT, PaymentFilter(), place=None, size=1),
    ]
    for day, read in enumerate(reads, start=1):
        await on_postgres.pool.execute(TURN, MERCHANT, timedelta(days=day))
        await read()
        assert clocks.now(MERCHANT) - datetime.now(UTC) > timedelta(days=day, seconds=-5)
    overtaken = await on_postgres.pool.fetchval("SELECT reading FROM sandbox_clocks")
    await on_postgres.pool.execute(PUT_BACK)
    await on_postgres.store.read_clock(MERCHANT)
    assert not clocks.observe(MERCHANT, overtaken)
    assert clocks.now(MERCHANT) - datetime.now(UTC) < timedelta(seconds=5)


async def test_nothing_begins_by_a_clock_that_has_been_turned(on_postgres: OnPostgres) -> None:
    """A payment that another clock decided is a conflict until it is decided anew."""
    store, clocks = on_postgres.store, on_postgres.store._clocks
    before = keyed(begun(now=clocks.now(MERCHANT)))
    await on_postgres.pool.execute(TURN, MERCHANT, timedelta(days=1))
    assert await store.commit(before) is CommitResult.CONFLICT
    loaded = await store.load(MERCHANT, before.payment.id, rpc="AUTHORIZE", key="k")
    assert loaded == Loaded(None, None)
    # The clock is known by now, but what was decided before is none the better for that.
    assert await store.commit(before) is CommitResult.CONFLICT
    await stored(store, keyed(begun(now=clocks.now(MERCHANT))))
    ahead = keyed(begun(now=clocks.now(MERCHANT)), key="k2")
    await on_postgres.pool.execute(PUT_BACK)
    for _ in range(2):
        assert await store.commit(ahead) is CommitResult.CONFLICT
        await store.load(MERCHANT, ahead.payment.id, rpc="AUTHORIZE", key="k2")
    await stored(store, keyed(begun(now=clocks.now(MERCHANT)), key="k2"))
