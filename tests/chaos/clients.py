"""Clients that pay while something is away, and note how they were answered."""

import asyncio
import os
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.chaos.rig import CARD, gbp, reason_of

AWAY_SECONDS = 30.0 if os.environ.get("PAYGATE_CHAOS") == "full" else 5.0
CLIENTS = 8
# While the bank is gone every answer is quick, and all of it waits for recovery.
THINK_SECONDS = 0.2
# The edge answers for a worker after 5 s; the rest is the machine's.
ANSWER_SECONDS_MAX = 5.5
# The bank has 2.8 s, the look-up after it half a second, storing what came of it the rest.
PENDING_ANSWER_SECONDS_MAX = 5.0
HEALED_SECONDS_MAX = 10.0
# A bank that is back has a line again within this, and payments go on.
BACK_SECONDS_MAX = 2.0

TOLD_MAX = 300
SUCCEEDED, PENDING = "STATUS_SUCCEEDED", "STATUS_PENDING"


@dataclass
class Clients:
    """Clients that authorize, one payment after the other, and note how they were answered."""

    channel: aio.Channel
    api_key: str
    answers: Counter[str] = field(default_factory=Counter)
    longest_seconds: float = 0.0
    unanswered_keys: list[str] = field(default_factory=list)

    async def authorize(self, key: str | None = None) -> str:
        """Return the action's status, or the reason of the refusal."""
        key, began = key or uuid.uuid4().hex, time.monotonic()
        request = service.AuthorizeRequest(card_details=CARD, amount=gbp(100))
        metadata = (("authorization", f"Bearer {self.api_key}"), ("idempotency-key", key))
        try:
            # Longer than what is allowed, so that what takes too long is seen as that.
            reply = await PaymentServiceStub(self.channel).Authorize(
                request, metadata=metadata, timeout=4 * ANSWER_SECONDS_MAX
            )
            answer = pb.Action.Status.Name(reply.action.status)
        except aio.AioRpcError as problem:
            answer = reason_of(problem)
            self.unanswered_keys.append(key)
        self.longest_seconds = max(self.longest_seconds, time.monotonic() - began)
        self.answers[answer] += 1
        return answer

    async def read(self) -> None:
        """Look at the payments, which raises unless it goes well."""
        metadata = (("authorization", f"Bearer {self.api_key}"),)
        stub = PaymentServiceStub(self.channel)
        await stub.ListPayments(service.ListPaymentsRequest(page_size=1), metadata=metadata)

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Be many clients, without a pause, meanwhile."""
        stopped = asyncio.Event()

        async def client() -> None:
            while not stopped.is_set():
                await self.authorize()
                await asyncio.sleep(THINK_SECONDS)

        clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
        try:
            yield
        finally:
            stopped.set()
            await asyncio.gather(*clients)

    async def refused(self) -> None:
        """Return once payments are refused, and nothing of before waits for its answer any more."""
        async with asyncio.timeout(HEALED_SECONDS_MAX):
            while await self.authorize() != "DEPENDENCY_UNAVAILABLE":
                await asyncio.sleep(THINK_SECONDS)
        await asyncio.sleep(PENDING_ANSWER_SECONDS_MAX - BACK_SECONDS_MAX)

    async def healed(self) -> float:
        """Return after how many seconds a payment goes well again."""
        began = time.monotonic()
        async with asyncio.timeout(HEALED_SECONDS_MAX):
            while await self.authorize() != SUCCEEDED:
                await asyncio.sleep(THINK_SECONDS)
        return time.monotonic() - began

    async def told_in_the_end(self) -> None:
        """Requests that were refused get their final replies by the same keys."""
        every = len(self.unanswered_keys) // TOLD_MAX + 1  # thousands are refused in half a minute
        keys = self.unanswered_keys[::every]
        async with asyncio.timeout(HEALED_SECONDS_MAX):
            await asyncio.gather(*(self._told(keys[lane::8]) for lane in range(8)))

    async def _told(self, keys: Sequence[str]) -> None:
        for key in keys:
            while await self.authorize(key) not in {SUCCEEDED, "STATUS_FAILED"}:
                await asyncio.sleep(THINK_SECONDS)


@asynccontextmanager
async def clients_of(address: str, api_key: str) -> AsyncIterator[Clients]:
    """Connect, and find that all is well to begin with."""
    async with aio.insecure_channel(address) as channel:
        clients = Clients(channel, api_key)
        assert await clients.authorize() == SUCCEEDED
        yield clients
