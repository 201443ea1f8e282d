"""Two workers, and the sandbox's API on one of them."""

import asyncio
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from paygate.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from tests.chaos.rig import Rig, gbp

WEEK = timedelta(days=7)


class Sandbox:
    """A rig of two workers, and the sandbox's API on the second of them."""

    def __init__(self, rig: Rig, merchant_id: str) -> None:
        self.rig, self.merchant_id = rig, merchant_id
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

    async def authorize(self, card: pb.CardDetails, *, worker: int) -> pb.Payment:
        """Authorize at one worker, without an idempotency key."""
        request = service.AuthorizeRequest(card_details=card, amount=gbp(500))
        stub = PaymentServiceStub(self.rig.channels[worker])
        return (await stub.Authorize(request, metadata=self.metadata)).payment

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
