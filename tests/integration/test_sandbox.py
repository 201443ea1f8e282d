"""The sandbox: a clock that is turned for everybody, expiry by it, reset, the bank's cards."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.status_pb2 import Status
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from paygate.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from services.acquirer.cards import APPROVED_CARDS, CARDS
from tests.chaos.rig import CARD, Request, Rig, gbp, reason_of

WEEK = timedelta(days=7)
# A delivery that is due in an hour, by a clock that is so far ahead.
WAITING = """
INSERT INTO webhook_deliveries
  (merchant_id, endpoint_id, event_id, payment_id, sequence, status, due_time, create_time)
VALUES ('mer_other', 'whe_1', 'evt_1', 'pay_1', 1, 'PENDING',
  clock_timestamp() + $1::interval + interval '1 hour', clock_timestamp())
"""
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


class Sandbox:
    """A rig of two workers, and the sandbox's API on the second of them."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.metadata = (("authorization", f"Bearer {rig.api_key}"),)
        self.stub = SandboxServiceStub(rig.channels[1])

    async def advance(self, by: timedelta) -> sandbox.AdvanceClockResponse:
        """Turn the clock on one worker."""
        duration = Duration()
        duration.FromTimedelta(by)
        request = sandbox.AdvanceClockRequest(by=duration)
        response: sandbox.AdvanceClockResponse = await self.stub.AdvanceClock(
            request, metadata=self.metadata
        )
        return response

    async def expired(self) -> None:
        """Wait until everything that is due has expired."""
        async with asyncio.timeout(10):
            while True:
                request = sandbox.DrainRequest(timeout=Duration(nanos=1))
                left = await self.stub.Drain(request, metadata=self.metadata)
                if left.due_expiries == left.pending_actions == 0:
                    return
                await asyncio.sleep(0.02)

    async def payment(self, payment_id: str) -> pb.Payment:
        """Return a payment with its history, from the other worker."""
        request = service.GetPaymentRequest(id=payment_id, include_actions=True)
        stub = PaymentServiceStub(self.rig.channels[0])
        return (await stub.GetPayment(request, metadata=self.metadata)).payment


@pytest.fixture
async def box(payments_database_url: str, acquirer_database_url: str) -> AsyncIterator[Sandbox]:
    """Two workers, a sweep and a bank."""
    async with Rig(payments_database_url, acquirer_database_url) as rig:
        yield Sandbox(rig)


async def test_an_authorization_expires_by_the_clock(box: Sandbox) -> None:
    """A week later AUTHORIZED is EXPIRED and PARTIALLY_CAPTURED is CAPTURED, at the bank too."""
    rig = box.rig
    untouched, partly, whole = [await rig.authorized() for _ in range(3)]
    await rig.call(service.CaptureRequest(authorization_id=partly, amount=gbp(400)))
    await rig.call(service.CaptureRequest(authorization_id=whole, amount=gbp(1000)))
    await box.advance(WEEK)
    await box.expired()

    expired = await box.payment(untouched)
    assert expired.status == pb.Payment.STATUS_EXPIRED
    assert [action.type for action in expired.actions] == [
        pb.Action.TYPE_AUTHORIZE,
        pb.Action.TYPE_EXPIRE,
    ]
    assert expired.actions[1].status == pb.Action.STATUS_SUCCEEDED
    assert expired.actions[1].amount == gbp(1000)
    rest = await box.payment(partly)
    assert (rest.status, rest.captured, rest.capturable) == (
        pb.Payment.STATUS_CAPTURED,
        gbp(400),
        gbp(0),
    )
    assert rest.actions[-1].amount == gbp(600)
    assert len((await box.payment(whole)).actions) == 2
    with pytest.raises(aio.AioRpcError) as refused:
        await rig.call(service.CaptureRequest(authorization_id=untouched, amount=gbp(1)))
    assert reason_of(refused.value) == "PAYMENT_EXPIRED"
    refund = await rig.call(service.RefundRequest(authorization_id=partly, amount=gbp(400)))
    assert refund.payment.status == pb.Payment.STATUS_REFUNDED
    held = "SELECT coalesce(sum(minor_units - captured - released), 0) FROM authorizations"
    assert await rig.bank_book.fetchval(held) == 0
    await rig.assert_books_agree()


async def test_the_clock_is_everybodys_at_once(box: Sandbox) -> None:
    """What one worker has turned, the next request at another worker goes by."""
    for _ in range(10):
        payment_id = await box.rig.authorized()
        await box.advance(WEEK)
        request = service.CaptureRequest(authorization_id=payment_id, amount=gbp(1))
        with pytest.raises(aio.AioRpcError) as refused:
            await box.rig.call(request, worker=0)
        assert reason_of(refused.value) == "PAYMENT_EXPIRED"
    clock = await box.stub.GetClock(sandbox.GetClockRequest(), metadata=box.metadata)
    assert clock.offset.ToTimedelta() == 10 * WEEK
    ahead = clock.now.ToDatetime(tzinfo=UTC) - datetime.now(UTC)
    assert abs(ahead - 10 * WEEK) < timedelta(seconds=5)
    made = (await box.payment(await box.rig.authorized())).create_time.ToDatetime(tzinfo=UTC)
    assert made > clock.now.ToDatetime(tzinfo=UTC)


async def test_an_expiry_outlives_the_bank(box: Sandbox) -> None:
    """While the bank is away an expiry is PENDING; it ends when the bank is back."""
    payment_id = await box.rig.authorized()
    await box.rig.bank.kill()
    await box.advance(WEEK)
    async with asyncio.timeout(10):
        while len((await box.payment(payment_id)).actions) == 1:
            await asyncio.sleep(0.02)
    assert (await box.payment(payment_id)).status == pb.Payment.STATUS_AUTHORIZED
    await box.rig.bank.start()
    await box.expired()
    assert (await box.payment(payment_id)).status == pb.Payment.STATUS_EXPIRED
    await box.rig.assert_books_agree()


async def test_reset_puts_the_clock_back(box: Sandbox) -> None:
    """For every process at once; another merchant's delivery waits for as long as it would have."""
    book, year = box.rig.payments_book, 50 * WEEK
    for _ in range(3):
        await box.advance(year)
        await book.execute(WAITING, year)
        await box.stub.Reset(sandbox.ResetRequest(), metadata=box.metadata)
        for worker in range(2):
            request = service.AuthorizeRequest(card_details=CARD, amount=gbp(5))
            made = (await box.rig.call(request, worker=worker)).payment
            away = made.create_time.ToDatetime(tzinfo=UTC) - datetime.now(UTC)
            assert abs(away) < timedelta(seconds=30)
        clock = await box.stub.GetClock(sandbox.GetClockRequest(), metadata=box.metadata)
        assert clock.offset == Duration()
        waits = await book.fetchval(
            "DELETE FROM webhook_deliveries RETURNING due_time - clock_timestamp()"
        )
        assert timedelta(minutes=59) < waits <= timedelta(hours=1)


async def test_errors_by_a_turned_clock_name_it(box: Sandbox) -> None:
    """A card or an authorization that has expired by it; by the real time nothing is added."""
    authorized = await box.rig.authorized()
    past = pb.CardDetails(pan=CARD.pan, expiry=pb.Expiry(month=1, year=2020), cvv="123")
    authorize = service.AuthorizeRequest(card_details=past, amount=gbp(5))
    assert "clock" not in await told(box.rig, authorize)
    await box.advance(WEEK)
    year = (datetime.now(UTC) + WEEK).year
    for request in (authorize, service.VoidRequest(authorization_id=authorized)):
        assert f"clock says {year}-" in await told(box.rig, request)


async def told(rig: Rig, request: Request) -> str:
    """Return what a refused request is told, its violations included."""
    with pytest.raises(aio.AioRpcError) as refused:
        await rig.call(request)
    (status,) = [
        value
        for key, value in refused.value.trailing_metadata() or ()
        if key == "grpc-status-details-bin"
    ]
    return f"{refused.value.details()} {Status.FromString(status)}"


async def test_the_clock_is_only_turned_forward(box: Sandbox) -> None:
    """Only steps from a second to 400 days forward are taken."""
    for seconds in (0, -5, 400 * 24 * 3600 + 1, 10**11):
        request = sandbox.AdvanceClockRequest(by=Duration(seconds=seconds))
        with pytest.raises(aio.AioRpcError) as refused:
            await box.stub.AdvanceClock(request, metadata=box.metadata)
        assert reason_of(refused.value) == "VALIDATION_FAILED"


async def test_the_clock_stays_within_a_century(box: Sandbox) -> None:
    """However often it is turned, it never comes to where times end; everything goes on."""
    step = timedelta(days=400)
    last = [await box.advance(step) for _ in range(36_500 // 400)][-1]
    with pytest.raises(aio.AioRpcError) as refused:
        await box.advance(step)
    assert reason_of(refused.value) == "VALIDATION_FAILED"
    clock = await box.stub.GetClock(sandbox.GetClockRequest(), metadata=box.metadata)
    assert clock.offset == last.offset
    await box.advance(timedelta(days=1))


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


async def test_the_cards_are_the_banks(box: Sandbox) -> None:
    """Every card of the simulated bank is listed once, with what happens."""
    request = sandbox.ListTestCardsRequest()
    response = await box.stub.ListTestCards(request, metadata=box.metadata)
    assert [card.pan for card in response.cards] == [*APPROVED_CARDS, *CARDS]
    assert all(card.description.endswith(".") for card in response.cards)


async def test_every_call_needs_a_key(box: Sandbox) -> None:
    """The sandbox is a merchant's, and asks for the key like any other service."""
    calls: list[tuple[Any, object]] = [
        (box.stub.GetClock, sandbox.GetClockRequest()),
        (box.stub.AdvanceClock, sandbox.AdvanceClockRequest(by=Duration(seconds=60))),
        (box.stub.Drain, sandbox.DrainRequest()),
        (box.stub.Reset, sandbox.ResetRequest()),
        (box.stub.ListTestCards, sandbox.ListTestCardsRequest()),
    ]
    for method, request in calls:
        with pytest.raises(aio.AioRpcError) as refused:
            await method(request)
        assert reason_of(refused.value) == "INVALID_API_KEY"


async def test_the_sandbox_can_be_left_out(
    payments_database_url: str, acquirer_database_url: str
) -> None:
    """Then the service is absent, not just forbidden, as it always is in production."""
    rig = Rig(payments_database_url, acquirer_database_url, workers_count=2, with_sweep=False)
    rig.environment["PAYGATE_SANDBOX_API"] = "false"
    async with rig:
        box = Sandbox(rig)
        with pytest.raises(aio.AioRpcError) as refused:
            await box.stub.GetClock(sandbox.GetClockRequest(), metadata=box.metadata)
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
