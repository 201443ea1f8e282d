"""The gateway's end of the line to the bank, and the bank's time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from grpc import StatusCode, aio

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from paygate.acquirer.v1 import acquirer_service_pb2_grpc as rpc
from services.acquirer.line import Lines

OUTAGE_SECONDS = 1.5
SLOW_SECONDS = 2.0
OPERATIONS_MAX = 16
OK_CARD, SLOW_CARD = "4242424242424242", "4000000000001075"
APPROVED, DECLINED = pb.Outcome.STATUS_APPROVED, pb.Outcome.STATUS_DECLINED
REVERSED, NOT_FOUND = pb.Outcome.STATUS_REVERSED, pb.Outcome.STATUS_NOT_FOUND


class Time:
    """The bank's time: nothing waits for it, and a test can hold it still."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.sleeping = asyncio.Event()
        self.passes = asyncio.Event()
        self.passes.set()

    async def sleep(self, seconds: float) -> None:
        """Note the seconds, and return when time passes."""
        self.slept.append(seconds)
        self.sleeping.set()
        await self.passes.wait()


@dataclass
class Line:
    """The gateway's end of the line: each verb answers with the outcome, or raises."""

    channel: aio.Channel
    drain: Callable[[], Awaitable[None]] | None = None
    time: Time = field(default_factory=Time)
    lines: Lines | None = None

    def __post_init__(self) -> None:
        """Make the stub."""
        self.stub: rpc.AcquirerServiceAsyncStub = rpc.AcquirerServiceStub(self.channel)

    async def authorize(self, pan: str = OK_CARD, minor_units: int = 1000) -> pb.Outcome:
        """Authorize under the reference `auth`."""
        return (
            await self.stub.Authorize(authorize_request(pan=pan, minor_units=minor_units))
        ).outcome

    async def capture(self, minor_units: int = 400, *, reference: str = "capture") -> pb.Outcome:
        """Capture of `auth`."""
        request = pb.CaptureRequest(
            reference=reference, authorization_reference="auth", minor_units=minor_units
        )
        return (await self.stub.Capture(request)).outcome

    async def capture_final(self) -> pb.Outcome:
        """Capture of `auth` that releases the rest."""
        request = pb.CaptureRequest(
            reference="capture", authorization_reference="auth", minor_units=400, final=True
        )
        return (await self.stub.Capture(request)).outcome

    async def void(self) -> pb.Outcome:
        """Void `auth`."""
        request = pb.VoidRequest(reference="void", authorization_reference="auth")
        return (await self.stub.Void(request)).outcome

    async def refund(self) -> pb.Outcome:
        """Refund of `auth`."""
        request = pb.RefundRequest(
            reference="refund", authorization_reference="auth", minor_units=400
        )
        return (await self.stub.Refund(request)).outcome

    async def reverse(self) -> pb.Outcome:
        """Reverse `auth`."""
        request = pb.ReverseRequest(authorization_reference="auth")
        return (await self.stub.Reverse(request)).outcome

    async def inquire(self, reference: str) -> pb.Outcome:
        """Inquire."""
        return (await self.stub.Inquire(pb.InquireRequest(reference=reference))).outcome


def authorize_request(**fields: str | int) -> pb.AuthorizeRequest:
    """Return a request that is right but for the `fields`."""
    request = pb.AuthorizeRequest(
        reference="auth",
        pan=OK_CARD,
        expiry_month=1,
        expiry_year=2030,
        cvv="737",
        minor_units=1000,
        currency="GBP",
    )
    for name, value in fields.items():
        setattr(request, name, value)
    return request


async def unreachable(call: Awaitable[object]) -> None:
    """Check that the call fails, and says no more than that the bank cannot be reached."""
    with pytest.raises(aio.AioRpcError) as raised:
        await call
    assert raised.value.code() is StatusCode.UNAVAILABLE
    assert raised.value.details() == "The bank cannot be reached."
