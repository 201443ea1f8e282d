"""Records histories: a few clients at once at one payment, of a real gateway with two workers."""

import asyncio
import random
import time
import uuid
from dataclasses import dataclass, field

import grpc
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.chaos.rig import CARD, Request, Response, Rig, gbp, reason_of
from tests.proofs.histories.spec import AUTHORIZED, LOOK, Call, Seen

CLIENTS, CALLS_EACH = 4, 3
CALL_SECONDS_MAX, FINAL_SECONDS_MAX = 6.0, 60.0
TWICE = 0.2  # of the writes are sent again while they are under way, by another worker
# What the bank does is said by the card's number.
PANS = ["4242424242424242"] * 12 + [
    *("4000000000000259", "4000000000003238", "4000000000001067"),  # declines one of the verbs
    *("4000000000001034", "4000000000001042", "4000000000001059", "4000000000001091"),  # loses it
]
VERBS = ["CAPTURE"] * 5 + ["REFUND"] * 3 + ["LOOK"] * 3 + ["VOID", "RELEASE"]
RETRIED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.DEADLINE_EXCEEDED}


@dataclass
class Recorder:
    """Writes down what clients of one payment are told.

    Args:
        rig: That runs.
        dice: Decides what is asked for.
    """

    rig: Rig
    dice: random.Random
    calls: list[Call] = field(default_factory=list)

    async def history(self) -> list[Call]:
        """Make a payment, let clients at it, look at it in the end, and return what happened."""
        payment = await self._authorized()
        await asyncio.gather(*(self._client(payment) for _ in range(CLIENTS)))
        await self._look(payment)
        return self.calls

    async def _authorized(self) -> str:
        card = pb.CardDetails(pan=self.dice.choice(PANS), expiry=CARD.expiry, cvv="123")
        request = service.AuthorizeRequest(card_details=card, amount=gbp(AUTHORIZED))
        while True:  # one that was in doubt when something was killed may have been given up
            reply = await self.rig.retried(request, key=uuid.uuid4().hex)
            if reply.payment.status == pb.Payment.STATUS_AUTHORIZED:
                return reply.payment.id
            assert reply.payment.status == pb.Payment.STATUS_FAILED, reply

    async def _client(self, payment: str) -> None:
        for _ in range(CALLS_EACH):
            verb = self.dice.choice(VERBS)
            if verb == LOOK:
                await self._look(payment)
                continue
            amount = self.dice.choice([5, 20, 35, 60, 100]) if verb in {"CAPTURE", "REFUND"} else 0
            final = verb == "CAPTURE" and self.dice.random() < 0.2
            await self._write(payment, verb, amount, final=final)

    async def _look(self, payment: str) -> None:
        invoked = time.monotonic()
        while True:
            stub = PaymentServiceStub(self.dice.choice(self.rig.channels))
            metadata = [("authorization", f"Bearer {self.rig.api_key}")]
            try:
                reply = await stub.GetPayment(
                    service.GetPaymentRequest(id=payment),
                    metadata=metadata,
                    timeout=CALL_SECONDS_MAX,
                )
            except aio.AioRpcError as problem:
                if problem.code() not in RETRIED:
                    raise
                await asyncio.sleep(0.02)
                continue
            now = time.monotonic()
            self.calls.append(Call(LOOK, 0, False, LOOK, invoked, now, now, 0, seen(reply.payment)))
            return

    async def _write(self, payment: str, verb: str, amount: int, *, final: bool) -> None:
        request = request_of(payment, verb, amount, final=final)
        key, invoked, told = uuid.uuid4().hex, time.monotonic(), list[float]()
        twins = 2 if self.dice.random() < TWICE else 1
        ends = await asyncio.gather(*(self._asked(request, key, told) for _ in range(twins)))
        ended = time.monotonic()
        replies = [end for end in ends if not isinstance(end, str)]
        if not replies:
            # Two that are refused are two calls: a refused one does not hold the key.
            for reason in ends:
                assert isinstance(reason, str)
                self.calls.append(Call(verb, amount, final, reason, invoked, ended, ended))
            return
        assert len({reply.SerializeToString() for reply in replies}) == 1, "twins were told apart"
        for reason in (end for end in ends if isinstance(end, str)):
            self.calls.append(Call(verb, amount, final, reason, invoked, ended, ended))
        action = replies[0].action
        outcome = pb.Action.Status.Name(action.status).removeprefix("STATUS_")
        shown = seen(replies[0].payment)
        first = min(told, default=ended)
        self.calls.append(
            Call(verb, amount, final, outcome, invoked, first, ended, action.sequence, shown)
        )

    async def _asked(self, request: Request, key: str, told: list[float]) -> Response | str:
        """Return the final reply, or why it was refused; note when any other reply came."""
        async with asyncio.timeout(FINAL_SECONDS_MAX):
            while True:
                worker = self.dice.randrange(len(self.rig.channels))
                try:
                    reply = await self.rig.call(
                        request, key=key, worker=worker, seconds_max=CALL_SECONDS_MAX
                    )
                except aio.AioRpcError as problem:
                    reason = reason_of(problem)
                    is_retried = reason == "IDEMPOTENCY_IN_FLIGHT" or problem.code() in RETRIED
                    if not is_retried:
                        return reason
                else:
                    if reply.action.status != pb.Action.STATUS_PENDING:
                        return reply
                    told.append(time.monotonic())
                await asyncio.sleep(self.dice.uniform(0.01, 0.05))


def seen(payment: pb.Payment) -> Seen:
    """Return what a reply shows."""
    return Seen(
        pb.Payment.Status.Name(payment.status).removeprefix("STATUS_"),
        payment.captured.minor_units,
        payment.refunded.minor_units,
        payment.capturable.minor_units,
        payment.refundable.minor_units,
    )


def request_of(payment: str, verb: str, amount: int, *, final: bool) -> Request:
    """Return what is sent."""
    match verb:
        case "CAPTURE":
            return service.CaptureRequest(authorization_id=payment, amount=gbp(amount), final=final)
        case "REFUND":
            return service.RefundRequest(authorization_id=payment, amount=gbp(amount))
        case _:
            return service.VoidRequest(authorization_id=payment, remainder=verb == "RELEASE")
