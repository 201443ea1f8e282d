"""Workers are killed under native gRPC clients, who hear nothing but what the API documents."""

import asyncio
import os
import signal
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from grpc import aio

from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.chaos.rig import CARD, gbp, reason_of
from tests.e2e.stack import Stack

KILLS = 40
CLIENTS = 12
PAUSE_SECONDS = 0.5
THINK_SECONDS = 0.005
# Between calls without a key: more of them would shut their address out, and with it all clients.
KEYLESS_SECONDS = 0.1
# What a client may hear of a worker that dies under its call, and of what it then tries again.
DOCUMENTED = {
    ("OK", None),
    ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE"),
    ("UNAVAILABLE", "OVERLOADED"),
    ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"),
    ("ABORTED", "IDEMPOTENCY_IN_FLIGHT"),
    ("UNAUTHENTICATED", "INVALID_API_KEY"),
    ("NOT_FOUND", "PAYMENT_NOT_FOUND"),
}


@dataclass
class Clients:
    """They ask for every kind of answer: replies, replays and refusals."""

    stack: Stack
    stopped: bool = False
    heard: Counter[tuple[str, str | None]] = field(default_factory=Counter)

    async def run(self) -> None:
        """Go on until stopped."""
        async with aio.insecure_channel(self.stack.grpc) as channel:
            stub = PaymentServiceStub(channel)
            await asyncio.gather(self._keyless(stub), *(self._go_on(stub) for _ in range(CLIENTS)))

    async def _go_on(self, stub: "PaymentServiceStub") -> None:
        key = (("authorization", f"Bearer {self.stack.api_key}"),)
        unknown = service.GetPaymentRequest(id="pay_unknown")
        while not self.stopped:
            paid = service.AuthorizeRequest(card_details=CARD, amount=gbp(100))
            once = (*key, ("idempotency-key", uuid.uuid4().hex))
            await self._heard(stub.Authorize(paid, metadata=once, timeout=8))
            for _ in range(3):
                await self._heard(stub.Authorize(paid, metadata=once, timeout=8))
                await self._heard(stub.GetPayment(unknown, metadata=key, timeout=8))

    async def _keyless(self, stub: "PaymentServiceStub") -> None:
        unknown = service.GetPaymentRequest(id="pay_unknown")
        while not self.stopped:
            await self._heard(stub.GetPayment(unknown, timeout=8))
            await asyncio.sleep(KEYLESS_SECONDS)

    async def _heard(self, call: Any) -> None:  # typed for the blocking API only
        try:
            await call
        except aio.AioRpcError as problem:
            names = {name for name, _ in problem.trailing_metadata() or ()}
            told = reason_of(problem) if "grpc-status-details-bin" in names else problem.details()
            self.heard[problem.code().name, told] += 1
            await asyncio.sleep(THINK_SECONDS)
        else:
            self.heard[grpc.StatusCode.OK.name, None] += 1


@pytest.fixture
async def stack() -> AsyncIterator[Stack]:
    """A stack of its own, with two workers."""
    with Stack(workers=2) as running:
        yield await asyncio.to_thread(running.start)


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.skipif(os.environ.get("PAYGATE_CHAOS") != "full", reason="a kill takes seconds")
async def test_nothing_but_documented_errors_is_heard(stack: Stack) -> None:
    """Nobody hears INTERNAL, since nothing is sent before the outcome of a call is known."""
    clients = Clients(stack)
    running = asyncio.create_task(clients.run())
    for number in range(KILLS):
        name = f"payments-{number % 2 + 1}"
        await asyncio.sleep(PAUSE_SECONDS)
        pid = stack.pids()[name]
        os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(stack.restarted, name, pid)
        assert not running.done()
    clients.stopped = True
    await running
    assert set(clients.heard) <= DOCUMENTED, clients.heard
    assert clients.heard["OK", None] > 30, clients.heard
    assert clients.heard["NOT_FOUND", "PAYMENT_NOT_FOUND"] > 30, clients.heard
