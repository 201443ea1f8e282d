"""What time brings next: in its order, by the sandbox's clock, and nobody else's."""

import asyncio
import signal
from datetime import UTC, datetime, timedelta

from paygate.payments.v1 import payment_service_pb2 as service
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from services.payments.upcoming import UPCOMING_MAX
from tests.chaos.rig import gbp
from tests.integration.sandbox.box import WEEK, Sandbox

RETRIED = sandbox.Due.KIND_ACTION_RETRIED
HOUR = timedelta(hours=1)
ENDPOINTS = """
INSERT INTO webhook_endpoints
SELECT merchant_id, id, 'https://example.com', '{}', status, '', now(), now()
FROM (SELECT 'mer_other' AS merchant_id UNION SELECT id FROM merchants) m,
  (VALUES ('we_1', 'ENABLED'), ('we_2', 'DISABLED')) e (id, status)
ON CONFLICT DO NOTHING
"""
DELIVERIES = """
INSERT INTO webhook_deliveries (
  merchant_id, endpoint_id, event_id, payment_id, sequence, status, attempts, due_time, create_time)
SELECT merchant_id, endpoint_id, 'evt_' || attempts, 'pay_9', attempts, status, attempts,
  CASE status WHEN 'PENDING' THEN now() + attempts * interval '1 hour' END, now()
FROM (SELECT 'mer_other' AS merchant_id UNION SELECT id FROM merchants) m,
  (VALUES ('we_1'), ('we_2')) e (endpoint_id),
  (VALUES (0, 'PENDING'), (1, 'PENDING'), (2, 'FAILED')) d (attempts, status)
ON CONFLICT DO NOTHING
"""


async def due(box: Sandbox) -> list[sandbox.Due]:
    """Ask for it."""
    reply = await box.stub.ListDue(sandbox.ListDueRequest(), metadata=box.metadata)
    return list(reply.due)


def at(one: sandbox.Due) -> datetime:
    """Return its time."""
    return one.due_time.ToDatetime(UTC)


async def test_what_expires_is_listed_until_it_has(box: Sandbox) -> None:
    """The soonest first; nothing that was captured, and nobody else's."""
    assert await due(box) == []
    first, second, whole = [await box.rig.authorized() for _ in range(3)]
    await box.rig.call(service.CaptureRequest(authorization_id=whole, amount=gbp(1000)))
    found = await due(box)
    assert [one.payment_id for one in found] == [first, second]
    assert {one.kind for one in found} == {sandbox.Due.KIND_PAYMENT_EXPIRES}
    expires = (await box.payment(first)).expire_time
    assert (found[0].due_time, found[0].event_id) == (expires, "")
    await box.advance(WEEK)
    await box.expired()
    assert await due(box) == []


async def test_a_webhook_that_failed_is_listed_with_its_next_try(box: Sandbox) -> None:
    """One that was never tried waits for no time, and one that was given up for nothing.

    Nor is anything tried at an endpoint that is disabled.
    """
    await box.rig.payments_book.execute(ENDPOINTS)
    await box.rig.payments_book.execute(DELIVERIES)
    (one,) = await due(box)
    assert one.kind == sandbox.Due.KIND_DELIVERY_RETRIED
    assert (one.payment_id, one.event_id, one.endpoint_id) == ("pay_9", "evt_1", "we_1")
    assert abs(at(one) - datetime.now(UTC) - HOUR) < timedelta(minutes=1)


async def test_a_test_event_is_about_no_payment(box: Sandbox) -> None:
    """Its own id, which stands for a payment's in its stream, is none."""
    await box.rig.payments_book.execute(ENDPOINTS)
    await box.rig.payments_book.execute(DELIVERIES)
    await box.rig.payments_book.execute("UPDATE webhook_deliveries SET payment_id = event_id")
    (one,) = await due(box)
    assert (one.payment_id, one.event_id, one.endpoint_id) == ("", "evt_1", "we_1")


async def test_an_open_answer_is_listed_by_the_sandboxs_clock(box: Sandbox) -> None:
    """Though the bank is asked again by the real time."""
    payment_id = await box.rig.authorized()
    bank = box.rig.bank.running
    assert bank
    # Not killed: where a bank is known to be away, nothing is begun that would wait for its answer.
    bank.send_signal(signal.SIGSTOP)
    await box.advance(WEEK)
    async with asyncio.timeout(10):
        while not (found := [one for one in await due(box) if one.kind == RETRIED]):
            await asyncio.sleep(0.02)
    assert found[0].payment_id == payment_id
    assert abs(at(found[0]) - datetime.now(UTC) - WEEK) < timedelta(minutes=1)
    bank.send_signal(signal.SIGCONT)
    await box.expired()
    assert await due(box) == []


async def test_only_the_first_are_listed(box: Sandbox) -> None:
    """However many there are."""
    ids = [await box.rig.authorized() for _ in range(UPCOMING_MAX + 1)]
    assert [one.payment_id for one in await due(box)] == ids[:-1]
