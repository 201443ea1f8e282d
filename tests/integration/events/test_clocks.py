"""Retries of webhooks follow the clock of their merchant, and no other's."""

from datetime import timedelta

from services.events.schedule import DELAYS
from tests.builders import MERCHANT
from tests.integration.events.desk import Desk
from tests.integration.events.receiver import receiving

OTHER = "mer_other"
EVENTS = 250  # more than two batches of one merchant


async def test_only_the_webhooks_of_a_turned_clock_are_retried(desk: Desk) -> None:
    """Another merchant's wait on, by the real time; each is stamped by its own clock."""
    async with receiving() as receiver:
        receiver.status = 500
        for merchant_id in (MERCHANT, OTHER):
            await desk.endpoint(receiver.url, merchant_id=merchant_id)
            await desk.authorized(merchant_id=merchant_id)
        assert await desk.process() == 2

        await desk.advance(DELAYS[0], merchant_id=MERCHANT)
        assert await desk.process() == 1

        attempts = {row["merchant_id"]: row for row in await desk.deliveries()}
        assert {name: row["attempts"] for name, row in attempts.items()} == {MERCHANT: 2, OTHER: 1}
        turned, real = attempts[MERCHANT]["last_attempt_time"], attempts[OTHER]["last_attempt_time"]
        assert timedelta(0) <= turned - real - DELAYS[0] < timedelta(seconds=30)
        assert timedelta(0) < attempts[OTHER]["wait"] <= DELAYS[0]


async def test_only_the_events_of_a_turned_clock_grow_old(desk: Desk) -> None:
    """After a month by its clock a merchant's events are removed, and another's are kept."""
    for merchant_id in (MERCHANT, OTHER):
        await desk.authorized(merchant_id=merchant_id)
    await desk.process()
    await desk.advance(timedelta(days=31), merchant_id=MERCHANT)
    await desk.process()
    left = await desk.pool.fetch("SELECT DISTINCT merchant_id FROM outbox")
    assert [row["merchant_id"] for row in left] == [OTHER]


async def test_all_events_of_a_turned_clock_that_are_old_go_at_once(desk: Desk) -> None:
    """However many: who makes more than one batch a minute would else keep more and more."""
    payment = await desk.authorized()
    await desk.captured(payment, times=EVENTS - 1)
    while await desk.relay.fan_out():
        pass
    await desk.advance(timedelta(days=31), merchant_id=MERCHANT)
    while await desk.relay.remove_old():
        pass  # as the relay does
    assert await desk.pool.fetchval("SELECT count(*) FROM outbox") == 0
