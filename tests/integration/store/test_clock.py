"""The clock of the sandbox comes with every load, and nothing begins by an old one."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from services.payments.ports import CommitResult, Loaded
from tests.builders import MERCHANT, begun
from tests.integration.store.changes import OnPostgres, an_authorized, keyed, stored

TURN = (
    "INSERT INTO sandbox_clock (ahead) VALUES ($1)"
    " ON CONFLICT (singleton) DO UPDATE SET ahead = EXCLUDED.ahead"
)
PUT_BACK = "UPDATE sandbox_clock SET ahead = interval '0', turns = turns + 1"


async def test_every_load_brings_the_clock_up_to_date(on_postgres: OnPostgres) -> None:
    """A clock that is turned by another process is seen with the next payment."""
    clock = on_postgres.store._clock
    payment = await an_authorized(on_postgres.store)
    action_id = payment.authorization_id
    reads: list[Callable[[], Awaitable[object]]] = [
        lambda: on_postgres.store.load(MERCHANT, "", rpc="", key=None),
        lambda: on_postgres.store.load_action(MERCHANT, action_id),
        lambda: on_postgres.reader.get_payment(MERCHANT, payment.id),
        on_postgres.store.read_clock,
    ]
    for day, read in enumerate(reads, start=1):
        await on_postgres.pool.execute(TURN, timedelta(days=day))
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
    before = keyed(begun(now=clock.now()))
    await on_postgres.pool.execute(TURN, timedelta(days=1))
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
