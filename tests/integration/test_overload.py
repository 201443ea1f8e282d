"""A worker that is asked for more than it can do refuses at once, new payments first."""

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.chaos.rig import SECRETS, Rig, gbp, reason_of
from tests.keys import new_key
from tools.stack.probe import grpc_serving

IN_FLIGHT_MAX = 64
AUTHORIZES_MAX = 42  # of one merchant: three quarters of seven eighths
MERCHANTS, CALLS_OF_EACH = 24, 3  # however little is free, a merchant may have three
CLIENTS = 300
REFUSAL_SECONDS_MAX = 0.05
# Every call takes 2 seconds, then succeeds.
SLOW = pb.CardDetails(pan="4000000000001075", expiry=pb.Expiry(month=12, year=2035), cvv="123")
OVERLOADED = (grpc.StatusCode.UNAVAILABLE, "OVERLOADED", "1")
TOO_MANY_OF_ONE = (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED", "1")
AUTHORIZE = service.AuthorizeRequest(card_details=SLOW, amount=gbp(1000))

Call = aio.UnaryUnaryCall[Any, Any]

pytestmark = pytest.mark.alone


@pytest.fixture
async def rig(payments_database_url: str, acquirer_database_url: str) -> AsyncIterator[Rig]:
    """One small worker, its bank and its sweep."""
    rig = Rig(payments_database_url, acquirer_database_url, workers_count=1)
    rig.environment["PAYGATE_IN_FLIGHT_MAX"] = str(IN_FLIGHT_MAX)
    rig.environment["PAYGATE_HASTY_LEASE_SECONDS"] = "10"  # more than the slow card takes
    async with rig:
        yield rig


@dataclass
class Crowd:
    """Clients that authorize on a slow card, again and again; refused ones wait as told."""

    rig: Rig
    admitted: list[str] = field(default_factory=list)
    refused_keys: list[str] = field(default_factory=list)

    async def __aenter__(self) -> "Crowd":
        self._stopped = asyncio.Event()
        self._tasks = [asyncio.create_task(self._client()) for _ in range(CLIENTS)]
        async with asyncio.timeout(10):
            while len(self.refused_keys) < CLIENTS - AUTHORIZES_MAX:
                await asyncio.sleep(0.01)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopped.set()
        await asyncio.gather(*self._tasks)

    async def _client(self) -> None:
        while not self._stopped.is_set():
            key = uuid.uuid4().hex
            call = self.rig.call(AUTHORIZE, key=key)
            if refused := await refusal(call):
                assert refused == TOO_MANY_OF_ONE
                self.refused_keys.append(key)
                # As told, and not all at once: what is measured is the worker, not this process.
                await asyncio.sleep(random.uniform(1.0, 3.0))
                continue
            reply = await call
            assert reply.action.status == pb.Action.STATUS_SUCCEEDED
            self.admitted.append(reply.payment.id)


async def refusal(call: Call) -> tuple[object, ...] | None:
    """Return the code, the reason and what `retry-after` says; None if the call was let in."""
    try:
        await call
    except aio.AioRpcError as problem:
        headers = dict(await call.trailing_metadata())
        return problem.code(), reason_of(problem), headers.get("retry-after")
    return None


async def refused_after(rig: Rig, let_in: list[Call]) -> float | None:
    """Return after how many seconds an Authorize was refused; None if it was let in."""
    begun, call = time.monotonic(), rig.call(AUTHORIZE)
    answer = asyncio.create_task(refusal(call))
    await asyncio.wait([answer], timeout=1.0)
    if not answer.done():
        let_in.append(call)
        return None
    assert answer.result() == TOO_MANY_OF_ONE
    return time.monotonic() - begun


async def test_new_payments_give_way_to_those_that_there_are(rig: Rig) -> None:
    """Authorize is refused within 50 ms, the rest goes on; then all ends well, in both books."""
    payments = [await rig.authorized() for _ in range(20)]
    stub = PaymentServiceStub(rig.channels[0])
    metadata = (("authorization", f"Bearer {rig.api_key}"),)
    took: list[float] = []
    let_in: list[Call] = []
    async with Crowd(rig) as crowd:
        for payment_id in payments:
            took += [seconds for _ in range(10) if (seconds := await refused_after(rig, let_in))]
            capture = service.CaptureRequest(authorization_id=payment_id, amount=gbp(1000))
            reply = await rig.call(capture)
            assert reply.payment.status == pb.Payment.STATUS_CAPTURED
            await stub.GetPayment(service.GetPaymentRequest(id=payment_id), metadata=metadata)
    for call in let_in:  # none of them was a refusal that took long
        assert (await call).payment.status == pb.Payment.STATUS_AUTHORIZED
    took.sort()
    assert len(took) > 100
    assert took[int(len(took) * 0.99)] <= REFUSAL_SECONDS_MAX, took[-5:]
    assert len(crowd.admitted) >= AUTHORIZES_MAX
    # What was refused is free: the key can be used, and nothing is stored.
    assert await stored(rig, crowd.refused_keys) == 0
    reply = await rig.call(AUTHORIZE, key=crowd.refused_keys[0])
    assert reply.payment.status == pb.Payment.STATUS_AUTHORIZED
    await rig.settled()
    await rig.assert_books_agree()


async def test_a_full_worker_refuses_everything_but_health_checks(rig: Rig) -> None:
    """With as much under way as there may be, reads are refused too; and then they are not."""
    pepper = SECRETS["PAYGATE_KEY_PEPPER"]
    keys = [
        await new_key(rig.payments_url, f"mer_{number}", pepper=pepper)
        for number in range(MERCHANTS)
    ]
    payments: list[tuple[str, str]] = []
    for half in (keys[::2], keys[1::2]):
        some = [authorized_slowly(rig, key) for key in half for _ in range(CALLS_OF_EACH)]
        payments += await asyncio.gather(*some)
    stub = PaymentServiceStub(rig.channels[0])
    metadata = (("authorization", f"Bearer {rig.api_key}"),)
    read = service.GetPaymentRequest(id=await rig.authorized())
    stopped = asyncio.Event()
    clients = [asyncio.create_task(capture_slowly(rig, *one, stopped)) for one in payments]
    async with asyncio.timeout(15):
        while not (refused := await refusal(stub.GetPayment(read, metadata=metadata))):
            await asyncio.sleep(0.02)
        assert refused == OVERLOADED
        await grpc_serving(rig.workers[0].port)
    stopped.set()
    captured = sum(await asyncio.gather(*clients))
    assert captured >= IN_FLIGHT_MAX
    await stub.GetPayment(read, metadata=metadata)
    await rig.settled()
    await rig.assert_books_agree()
    total = await rig.payments_book.fetchval("SELECT sum(captured) FROM payments")
    assert total == captured


async def authorized_slowly(rig: Rig, key: str) -> tuple[str, str]:
    """Return the key, and a payment of its merchant's that the bank takes 2 seconds for."""
    return key, (await rig.call(AUTHORIZE, api_key=key)).payment.id


async def capture_slowly(rig: Rig, key: str, payment_id: str, stopped: asyncio.Event) -> int:
    """Capture pence of a payment, one after the other, and return how many it were."""
    pence = 0
    while not stopped.is_set():
        request = service.CaptureRequest(authorization_id=payment_id, amount=gbp(1))
        call = rig.call(request, api_key=key)
        if refused := await refusal(call):
            assert refused in {OVERLOADED, TOO_MANY_OF_ONE}
            await asyncio.sleep(0.2)
        else:
            pence += 1
    return pence


async def stored(rig: Rig, keys: list[str]) -> int:
    """Return how many of these idempotency keys are stored."""
    query = "SELECT count(*) FROM idempotency_keys WHERE key = ANY($1)"
    count: int = await rig.payments_book.fetchval(query, keys)
    return count
