"""Reset removes what a merchant has made, whole, whatever is under way, and puts the clock back."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from services.acquirer.cards import APPROVED_CARDS
from tests.chaos.rig import CARD, gbp, reason_of
from tests.integration.sandbox.box import WEEK, Sandbox

OTHERS = "INSERT INTO sandbox_clocks (merchant_id, ahead) VALUES ('mer_other', $1)"
ROUNDS, PAYMENTS, CAPTURES_EACH = 4, 20, 6
ORPHANS = """
SELECT count(*) FROM {} t
WHERE NOT EXISTS (SELECT FROM payments p WHERE p.id = t.payment_id)
"""
ORPHANED_KEYS = """
SELECT count(*) FROM idempotency_keys k
WHERE NOT EXISTS (SELECT FROM actions a WHERE a.id = k.action_id)
"""
WITHOUT_ACTION = """
SELECT count(*) FROM payments p
WHERE NOT EXISTS (SELECT FROM actions a WHERE a.id = p.authorization_id)
"""
WITHOUT_CARD = """
SELECT count(*) FROM payments p
WHERE status = 'AUTHORIZED' AND NOT EXISTS (SELECT FROM cards c WHERE c.token = p.card_token)
"""


async def test_reset_puts_the_callers_clock_back(box: Sandbox) -> None:
    """For every process at once, though it has seen nothing since; another merchant's goes on."""
    book, years = box.rig.payments_book, 50 * WEEK
    await book.execute(OTHERS, years)
    # Past, by the clock as it was; without a key nothing is looked up first.
    soon = datetime.now(UTC) + years / 2
    expiry = pb.Expiry(month=soon.month, year=soon.year)
    card = pb.CardDetails(pan=CARD.pan, expiry=expiry, cvv="123")
    for _ in range(3):
        await box.advance(years)
        for worker in range(2):
            with pytest.raises(aio.AioRpcError) as refused:
                await box.authorize(card, worker=worker)
            assert reason_of(refused.value) == "VALIDATION_FAILED"
        await box.stub.Reset(sandbox.ResetRequest(), metadata=box.metadata)
        for worker in range(2):
            made = await box.authorize(card, worker=worker)
            away = made.create_time.ToDatetime(tzinfo=UTC) - datetime.now(UTC)
            assert abs(away) < timedelta(seconds=30)
        clock = await box.stub.GetClock(sandbox.GetClockRequest(), metadata=box.metadata)
        assert clock.offset == Duration()
    others = "SELECT ahead FROM sandbox_clocks WHERE merchant_id = 'mer_other'"
    assert await book.fetchval(others) == years


async def test_reset_removes_a_merchants_data_and_keeps_its_key(box: Sandbox) -> None:
    """Afterwards there is no payment, and the same idempotency key is free again."""
    request = service.AuthorizeRequest(
        card_details=pb.CardDetails(
            pan=APPROVED_CARDS[0], expiry=pb.Expiry(month=1, year=2040), cvv="123"
        ),
        amount=gbp(5),
    )
    first = await box.rig.call(request, key="again")
    response = await box.stub.Reset(sandbox.ResetRequest(), metadata=box.metadata)
    assert response.payments == 1
    with pytest.raises(aio.AioRpcError) as refused:
        await box.payment(first.payment.id)
    assert reason_of(refused.value) == "PAYMENT_NOT_FOUND"
    second = await box.rig.call(request, key="again")
    assert second.payment.id != first.payment.id


async def test_reset_beside_captures_leaves_nothing_behind(box: Sandbox) -> None:
    """Whatever is under way, no action and no key outlives its payment; drain comes to its end."""
    rig = box.rig
    for _ in range(ROUNDS):
        payments = await asyncio.gather(*(rig.authorized() for _ in range(PAYMENTS)))
        captures = [
            asyncio.ensure_future(rig.call(capture, worker=number))
            for number, capture in enumerate(
                service.CaptureRequest(authorization_id=payment, amount=gbp(1))
                for payment in payments
                for _ in range(CAPTURES_EACH)
            )
        ]
        await asyncio.wait(captures, return_when=asyncio.FIRST_COMPLETED)
        await box.stub.Reset(sandbox.ResetRequest(), metadata=box.metadata)
        ended = await asyncio.gather(*captures, return_exceptions=True)
        refused = [problem for problem in ended if isinstance(problem, aio.AioRpcError)]
        assert {reason_of(problem) for problem in refused} <= {"PAYMENT_NOT_FOUND"}
        for table in ("actions", "outbox"):
            assert await rig.payments_book.fetchval(ORPHANS.format(table)) == 0
        assert await rig.payments_book.fetchval(ORPHANED_KEYS) == 0
    drained = await box.stub.Drain(sandbox.DrainRequest(), metadata=box.metadata)
    assert drained.pending_actions == 0


async def test_reset_keeps_a_payment_that_is_made_meanwhile_whole(box: Sandbox) -> None:
    """Of what is authorized beside a reset each is there whole, or not at all."""
    rig = box.rig
    for _ in range(ROUNDS):
        request = service.AuthorizeRequest(card_details=CARD, amount=gbp(5))
        authorizing = [asyncio.ensure_future(rig.call(request, worker=n)) for n in range(PAYMENTS)]
        await asyncio.wait(authorizing, return_when=asyncio.FIRST_COMPLETED)
        await box.stub.Reset(sandbox.ResetRequest(), metadata=box.metadata)
        await asyncio.gather(*authorizing, return_exceptions=True)
        for orphans in (ORPHANS.format("actions"), ORPHANED_KEYS, WITHOUT_ACTION, WITHOUT_CARD):
            assert await rig.payments_book.fetchval(orphans) == 0
