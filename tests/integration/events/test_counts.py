"""What the sweep and the relay count, on a real database, by the roles that they have."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from pkg.observe.metrics import Metrics
from pkg.postgres.sql import Pools, open_pool
from pkg.process.mode import Mode
from services.events.deliver import Deliverer
from services.events.outbox import Outbox
from services.events.tally import RelayTally
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.tally import StoreTally
from services.payments.api.codec import ProtoEvents
from tests.builders import begun
from tests.database import as_part
from tests.integration.events.desk import Desk, opened
from tests.integration.events.receiver import receiving

OLD = timedelta(minutes=3)


@pytest.fixture
async def desk(payments_database_url: str) -> AsyncIterator[Desk]:
    """A desk on an empty database."""
    async with opened(payments_database_url) as desk:
        yield desk


async def test_what_is_pending_is_counted(desk: Desk, payments_database_url: str) -> None:
    """Actions without an outcome, with the oldest one's age, by the gateway's own role."""
    url = as_part(payments_database_url, "paygate_gateway")
    async with await open_pool(url, size=1, command_timeout_seconds=5, name="test") as pool:
        store = PostgresStore(
            pool, pool, events=ProtoEvents(), clocks=SandboxClocks(), lease=timedelta(seconds=10)
        )
        await desk.authorized()
        assert await store.count_pending() == (0, 0)
        for ago in (timedelta(), OLD):
            await desk._stored(*begun(now=datetime.now(UTC) - ago))
        count, age = await store.count_pending()
    assert count == 2
    assert OLD.total_seconds() <= age < OLD.total_seconds() + 60


async def test_what_waits_in_the_outbox_is_counted(desk: Desk, payments_database_url: str) -> None:
    """Events count until a relay has made out their deliveries, and the bus has them."""
    metrics, url = Metrics(), as_part(payments_database_url, "paygate_events")
    tally = RelayTally(metrics)
    async with await open_pool(url, size=1, command_timeout_seconds=5, name="test") as pool:
        outbox = Outbox(pool)
        await desk.captured(await desk.authorized(), times=2)
        await tally.look(outbox)
        waiting = {("unrelayed",): 3, ("unpublished",): 3}
        assert metrics.values("paygate_outbox_events") == waiting
        assert all(
            0 < age < 60 for age in metrics.values("paygate_outbox_oldest_age_seconds").values()
        )
        await desk.process()
        await tally.look(outbox)
    assert metrics.values("paygate_outbox_events") == dict.fromkeys(waiting, 0)
    assert metrics.values("paygate_outbox_oldest_age_seconds") == dict.fromkeys(waiting, 0)


@pytest.mark.parametrize(
    ("status", "outcome", "given_up"),
    [(204, "delivered", 0), (500, "failed", 0), (410, "failed", 1)],
)
async def test_attempts_are_counted(desk: Desk, status: int, outcome: str, given_up: int) -> None:
    """By what came of them; what is not tried again counts as given up."""
    metrics = Metrics()
    deliverer = Deliverer(desk.pool, desk.box, Mode.SANDBOX, tally=RelayTally(metrics))
    async with receiving() as receiver:
        receiver.status = status
        await desk.endpoint(receiver.url)
        await desk.authorized()
        await desk.relay.run_once()
        assert await deliverer.run_once() == 1
        await deliverer.close()
    expected = {("delivered",): 0, ("failed",): 0} | {(outcome,): 1}
    assert metrics.values("paygate_webhook_attempts_total") == expected
    assert metrics.values("paygate_webhook_deliveries_given_up_total") == {(): given_up}
    assert metrics.values("paygate_webhook_attempt_seconds_count") == {(): 1}


async def test_groups_and_pools_are_shown(desk: Desk, payments_database_url: str) -> None:
    """Each commit is in a group, and connections are idle when nobody uses them."""
    metrics = Metrics()
    pools = Pools(metrics)
    url = as_part(payments_database_url, "paygate_gateway")
    async with await open_pool(url, size=2, command_timeout_seconds=5, name="test") as pool:
        pools.add("reads", pool)
        desk.store = PostgresStore(
            pool,
            pool,
            events=ProtoEvents(),
            clocks=SandboxClocks(),
            lease=timedelta(seconds=10),
            tally=StoreTally(metrics),
        )
        await desk.authorized()
        async with pool.acquire():
            connections = metrics.values("paygate_pool_connections")
        assert connections == {("reads", "idle"): 1, ("reads", "used"): 1}
        assert await pools.answers("reads")
    assert metrics.values("paygate_group_size_sum")["commits",] == 2
    assert metrics.values("paygate_group_waiting") == {("commits",): 0, ("loads",): 0}
    assert metrics.values("paygate_money_minor_units_total") == {("authorize", "GBP"): 1_000_000}
    assert not await pools.answers("nobody")
