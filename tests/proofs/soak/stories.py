"""What a merchant does in a soak. Each story says at once if something is not as it must be."""

import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from paygate_client import AsyncPaygate, Money, Outcome, PaymentStatus, RefusedError
from paygate_testing import cards

POUNDS_10 = Money(1000, "GBP")
PENDING_SECONDS_MAX = 30.0
APPROVED = (cards.VISA, cards.MASTERCARD, cards.JCB, cards.AMERICAN_EXPRESS, cards.DISCOVER)
DECLINED = (cards.CARD_DECLINED, cards.INSUFFICIENT_FUNDS, cards.LOST_CARD)
LOST = (
    *(cards.AUTHORIZE_REQUEST_LOST, cards.AUTHORIZE_REPLY_LOST, cards.CAPTURE_REQUEST_LOST),
    *(cards.CAPTURE_REPLY_LOST, cards.REFUND_REPLY_LOST, cards.VOID_REPLY_LOST),
)


class Merchant:
    """A merchant's program, over REST and gRPC.

    Args:
        client: For REST.
        channel: For gRPC, through the edge as well.
        key: The API key.
        told: Where what was answered is counted.
    """

    def __init__(
        self, client: AsyncPaygate, channel: aio.Channel, key: str, told: Counter[str]
    ) -> None:
        self.client = client
        self.payments = 0
        self._stub = PaymentServiceStub(channel)
        self._key = key
        self._told = told
        self._stories: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (30, self.sale),
            (10, self.cancelled),
            (8, self.declined),
            (10, self.lost),
            (10, self.abandoned),
            (12, self.looks),
            (10, self.refused),
            (10, self.native),
        ]

    async def story(self) -> None:
        """Do one of them, at random."""
        weights = [weight for weight, _ in self._stories]
        (chosen,) = random.choices([one for _, one in self._stories], weights)
        await chosen()

    async def sale(self) -> None:
        """Authorize, capture in two parts, refund a part; what is repeated has one effect."""
        payment = (await self._twice(card=random.choice(APPROVED))).payment
        await self.client.capture(payment, Money(400, "GBP"))
        await self.client.capture(payment, Money(300, "GBP"), final=True)
        key = uuid.uuid4().hex
        refunds = [
            await self.client.refund(payment, Money(200, "GBP"), idempotency_key=key)
            for _ in range(2)
        ]
        assert refunds[0].action.id == refunds[1].action.id, "a repeated refund is another one"
        found = await self.client.get_payment(payment, include_actions=True)
        sums = (found.captured.minor_units, found.refunded.minor_units)
        assert sums == (700, 200), f"{found.id} has {sums}"
        token = found.card.token if found.card else ""
        again = await self._authorized(card_token=token)
        await self.client.capture(again.payment, POUNDS_10)

    async def cancelled(self) -> None:
        """Authorize and void."""
        payment = (await self._twice(card=random.choice(APPROVED))).payment
        voided = await self.client.void(payment)
        assert voided.payment.status is PaymentStatus.VOIDED, voided

    async def declined(self) -> None:
        """Be told no."""
        told = await self._authorized(card=random.choice(DECLINED))
        assert told.payment.status is PaymentStatus.DECLINED, told

    async def lost(self) -> None:
        """Meet a bank whose requests and replies get lost: everything ends nevertheless."""
        payment = (await self._authorized(card=random.choice(LOST))).payment
        found = await self.client.wait_until_final(payment, seconds_max=PENDING_SECONDS_MAX)
        if found.status is PaymentStatus.AUTHORIZED:
            await self.client.capture(payment, POUNDS_10)
            await self.client.wait_until_final(payment, seconds_max=PENDING_SECONDS_MAX)
            await self.client.refund(payment, POUNDS_10)
            await self.client.wait_until_final(payment, seconds_max=PENDING_SECONDS_MAX)

    async def abandoned(self) -> None:
        """Authorize, and forget it until it expires; its card is removed now and then."""
        payment = (await self._authorized(card=random.choice(APPROVED))).payment
        if payment.card and random.random() < 0.3:
            await self.client.delete_card(payment.card.token)

    async def looks(self) -> None:
        """Look at lists, as a dashboard does."""
        client = self.client
        for listing in (
            client.list_payments(),
            client.list_payments(status=PaymentStatus.CAPTURED),
            client.events.list(),
            client.sandbox.requests(failed=True),
            client.sandbox.bank_requests(),
            client.endpoints.list(),
        ):
            await _first_page(listing.pages())
        await client.sandbox.due()

    async def refused(self) -> None:
        """Ask for more than there is."""
        payment = (await self._authorized(card=random.choice(APPROVED))).payment
        try:
            await self.client.capture(payment, Money(1001, "GBP"))
        except RefusedError as refused:
            assert refused.reason == "AMOUNT_EXCEEDS_CAPTURABLE", refused  # noqa: PT017
        else:
            raise AssertionError("more was captured than authorised")
        await self.client.void(payment)

    async def native(self) -> None:
        """Do it over gRPC."""
        card = pb.CardDetails(
            pan="4242424242424242", expiry=pb.Expiry(month=12, year=2060), cvv="123"
        )
        amount = pb.Amount(minor_units=1000, currency="GBP")
        reply = await self._call(service.AuthorizeRequest(card_details=card, amount=amount))
        self.payments += 1
        payment = reply.payment.id
        await self._call(service.CaptureRequest(authorization_id=payment, amount=amount))
        await self._call(service.GetPaymentRequest(id=payment))

    async def _call(self, request: Any) -> Any:
        method = getattr(self._stub, type(request).__name__.removesuffix("Request"))
        metadata = (("authorization", f"Bearer {self._key}"), ("idempotency-key", uuid.uuid4().hex))
        while True:  # under one key, as the other client does
            try:
                reply = await method(request, metadata=metadata, timeout=6)
            except aio.AioRpcError as problem:
                self._told[problem.code().name] += 1
                if problem.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            else:
                self._told["OK"] += 1
                return reply

    async def _authorized(self, **card: Any) -> Outcome:
        told = await self.client.authorize(POUNDS_10, **card)
        self.payments += 1
        return told

    async def _twice(self, **card: Any) -> Outcome:
        key = uuid.uuid4().hex
        first, again = [
            await self.client.authorize(POUNDS_10, idempotency_key=key, **card) for _ in range(2)
        ]
        assert first.payment.id == again.payment.id, "a repeated authorization is another one"
        self.payments += 1
        return first


async def _first_page(pages: AsyncIterator[Any]) -> None:
    async for _ in pages:
        return
