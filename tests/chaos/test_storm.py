"""A storm: clients that retry, and a hand that kills any process of the whole stack at random."""

import asyncio
import os
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import asyncpg
import grpc
import pytest
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.chaos.books import PENDING_SECONDS_MAX, Books
from tests.chaos.rig import CARD, Request, Response, gbp
from tests.e2e.stack import Stack, serving
from tests.proofs import record, scale
from tests.proofs.hosts import SkewedStack

SECONDS = 60.0 if os.environ.get("PAYGATE_CHAOS") == "full" else 12.0
CLIENTS = 48 if scale.IS_FULL else 16
BETWEEN_KILLS_SECONDS = 1.2
# How long the next kill may wait for a request that goes well: on a busy machine what was killed
# takes long to come back, and a stack that does nothing has nothing to lose.
CALM_SECONDS_MAX = 8.0
PAUSE_SECONDS_MAX = 0.8  # of a client that is told to try again
KILLS_MIN = scale.whole("PAYGATE_PROOF_KILLS", full=1_000, short=8)
ACKNOWLEDGED_MIN = scale.whole("PAYGATE_PROOF_OPERATIONS", full=200_000, short=100)
RETRIED = {
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.CANCELLED,
}


class Client:
    """A merchant's system as it should be: a key for each write, and retries until it is told."""

    final_seconds_max = 4 * PENDING_SECONDS_MAX

    def __init__(self, channel: aio.Channel, api_key: str, *, seed: int) -> None:
        self._stub = PaymentServiceStub(channel)
        self._api_key = api_key
        self._dice = random.Random(seed)
        self.told: Counter[str] = Counter()
        self.acknowledged: dict[str, str] = {}  # how each action ended, by its id
        # From when a write was told PENDING until it was told its end, by the monotonic clock.
        self.doubts: list[tuple[float, float]] = []

    async def send(self, request: Request, key: str) -> Response:
        """Send a request under a key, once."""
        method = getattr(self._stub, type(request).__name__.removesuffix("Request"))
        metadata = (("authorization", f"Bearer {self._api_key}"), ("idempotency-key", key))
        reply: Response = await method(request, metadata=metadata, timeout=6)
        return reply

    def note(self, reply: Response) -> None:
        """Note a final reply."""
        status = pb.Action.Status.Name(reply.action.status)
        self.told[status] += 1
        self.acknowledged[reply.action.id] = status.removeprefix("STATUS_")

    async def write(self, request: Request) -> Response | None:
        """Return the final reply; None if the request was refused."""
        key, doubted = uuid.uuid4().hex, 0.0
        deadline = time.monotonic() + self.final_seconds_max
        for pause in self.pauses():
            try:
                reply = await self.send(request, key)
            except aio.AioRpcError as problem:
                self.told[problem.code().name] += 1
                if problem.code() not in RETRIED:
                    return None
            else:
                if reply.action.status != pb.Action.STATUS_PENDING:
                    if doubted:
                        self.doubts.append((doubted, time.monotonic()))
                    self.note(reply)
                    return reply
                self.told["PENDING"] += 1
                doubted = doubted or time.monotonic()
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(pause)
        raise TimeoutError("a request never got its final reply")

    def pauses(self) -> Iterator[float]:
        """Yield how long to wait before each next try, without end."""
        pause = 0.02
        while True:
            pause = min(pause * 2, PAUSE_SECONDS_MAX)  # or those who wait would be all the load
            yield self._dice.uniform(pause / 2, pause)

    async def run(self, storm: "asyncio.Task[object]") -> None:
        """Pay, capture in parts, refund or void, until the storm is over."""
        while not storm.done():
            reply = await self.write(service.AuthorizeRequest(card_details=CARD, amount=gbp(100)))
            if reply is None or reply.payment.status != pb.Payment.STATUS_AUTHORIZED:
                continue
            payment = reply.payment.id
            if self._dice.random() < 0.2:
                await self.write(service.VoidRequest(authorization_id=payment))
                continue
            for _ in range(self._dice.randint(1, 3)):
                amount = gbp(self._dice.randint(1, 60))
                await self.write(service.CaptureRequest(authorization_id=payment, amount=amount))
            if self._dice.random() < 0.3:
                await self.write(service.VoidRequest(authorization_id=payment, remainder=True))
            amount = gbp(self._dice.randint(1, 60))
            await self.write(service.RefundRequest(authorization_id=payment, amount=amount))


def database_url(stack: Stack, name: str) -> str:
    """Return the URL of one of the stack's embedded databases, which has a role of its name."""
    sockets = (stack.data_dir / "run" / "sockets").resolve()
    return f"postgresql://{name}@/{name}?host={sockets}"


async def kill_at_random(stack: Stack, clients: list[Client]) -> list[str]:
    """Kill -9 one process after another, each while requests go well; return whom."""
    dice, killed = random.Random(1), list[str]()
    names = ["payments-1", "payments-2", "sweep", "acquirer", "postgres", "envoy"]
    names += ["events", "relay"]
    dice.shuffle(names)
    until, before = time.monotonic() + SECONDS, 0
    began = time.monotonic()
    while not scale.is_over(began) and (
        time.monotonic() < until
        or len(killed) < max(KILLS_MIN, len(names))
        or acknowledged(clients) < ACKNOWLEDGED_MIN
    ):
        name, before = names[len(killed) % len(names)], acknowledged(clients)
        with suppress(KeyError, ProcessLookupError):  # not back yet since it was killed last
            stack.kill(name)
            killed.append(name)
        await asyncio.sleep(BETWEEN_KILLS_SECONDS)
        with suppress(TimeoutError):
            async with asyncio.timeout(CALM_SECONDS_MAX):
                while acknowledged(clients) == before:
                    await asyncio.sleep(0.05)
    return killed


def acknowledged(clients: Sequence[Client]) -> int:
    """Return how many requests got a final reply."""
    return sum(len(client.acknowledged) for client in clients)


async def assert_kept(books: Books, clients: Sequence[Client]) -> None:
    """What was acknowledged is there as it was told, and nothing else: no request has acted twice.

    Every client has repeated each of its requests until it was told.
    """
    rows = await books.payments.fetch(
        "SELECT id, status FROM actions WHERE type NOT IN ('REVERSE', 'EXPIRE')"
    )
    there = {row["id"]: row["status"] for row in rows}
    told: dict[str, str] = {}
    for client in clients:
        told |= client.acknowledged
    assert there == told


@pytest.fixture(scope="module")
async def apart() -> AsyncIterator[Stack]:
    """A stack whose processes are hosts with different clocks."""
    async with serving(SkewedStack(workers=2)) as running:
        yield running


@pytest.mark.chaos
async def test_whatever_is_killed_nothing_is_lost(apart: Stack) -> None:
    """Under load every process of the stack is killed: each request has one effect in the end."""
    began = datetime.now(UTC)
    async with aio.insecure_channel(apart.grpc) as channel:
        clients = [Client(channel, apart.api_key, seed=seed) for seed in range(CLIENTS)]
        storm = asyncio.create_task(kill_at_random(apart, clients))
        await asyncio.gather(*(client.run(storm) for client in clients))
        killed = await storm
    assert set(killed) >= {"payments-1", "payments-2", "sweep", "acquirer", "postgres", "envoy"}
    told = sum((client.told for client in clients), Counter[str]())
    assert set(told) <= {code.name for code in RETRIED} | {
        "PENDING",
        "STATUS_SUCCEEDED",
        "STATUS_FAILED",
        "FAILED_PRECONDITION",
    }, told
    async with (
        asyncpg.create_pool(database_url(apart, "payments"), min_size=1) as payments,
        asyncpg.create_pool(database_url(apart, "acquirer"), min_size=1) as bank,
    ):
        books = Books(payments, bank)
        await books.settled()
        with record.outcome("kills", began) as figures:
            figures |= {"killed": len(killed), "acknowledged": acknowledged(clients)}
            figures |= {"kills": Counter(killed), "answers": told}
            await assert_kept(books, clients)
            await books.assert_agree()
