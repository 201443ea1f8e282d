"""Workers behind the edge let through together what an API key may ask for."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from grpc import aio

from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.chaos.replicas import Site, site
from tests.chaos.rig import START_SECONDS_MAX, Rig, reason_of

WORKERS, PER_SECOND, BURST = 4, 40, 40
CLIENTS, SECONDS, REFUSED_MIN = 24, 10.0, 400
ADDRESSES = [f"127.0.0.{number}" for number in range(2, 2 + WORKERS)]
LIMIT = {
    "PAYGATE_RATE_LIMIT_PER_SECOND": str(PER_SECOND),
    "PAYGATE_RATE_LIMIT_BURST": str(BURST),
    "PAYGATE_RATE_LIMIT_SHARED_BY": str(WORKERS),
}


@pytest.fixture
async def limited(
    payments_database_url: str, acquirer_database_url: str, tmp_path: Path
) -> AsyncIterator[Site]:
    """Workers that share a limit, behind the edge."""
    async with Rig(payments_database_url, acquirer_database_url, workers_count=0) as rig:
        rig.environment.update(LIMIT)
        async with site(rig, tmp_path, ADDRESSES[0]) as running:
            await asyncio.gather(*(running.add(one, ("payments",)) for one in ADDRESSES[1:]))
            await running.sends_to(*ADDRESSES, services=("payments",))
            yield running


@pytest.mark.slow
async def test_workers_let_through_together_what_a_key_may_ask_for(limited: Site) -> None:
    """One key calls without a pause: what goes through is its rate, within a tenth."""
    load = limited.load()
    answers: Counter[str] = Counter()
    metadata = (("authorization", f"Bearer {load.api_key}"),)
    stopped = asyncio.Event()

    async def client(channel: aio.Channel) -> None:
        stub = PaymentServiceStub(channel)
        while not stopped.is_set():
            try:
                await stub.GetPayment(service.GetPaymentRequest(id="pay_x"), metadata=metadata)
            except aio.AioRpcError as problem:
                answers[reason_of(problem)] += 1

    async with load.channel() as channel:
        clients = [asyncio.create_task(client(channel)) for _ in range(CLIENTS)]
        async with asyncio.timeout(START_SECONDS_MAX):
            while answers["RATE_LIMITED"] < REFUSED_MIN:  # what may come at once is used up
                await asyncio.sleep(0.1)
        before, began = answers.copy(), time.monotonic()
        await asyncio.sleep(SECONDS)
        counted, seconds = answers - before, time.monotonic() - began
        stopped.set()
        await asyncio.gather(*clients)
    assert counted.keys() == {"RATE_LIMITED", "PAYMENT_NOT_FOUND"}
    assert counted["PAYMENT_NOT_FOUND"] / seconds == pytest.approx(PER_SECOND, rel=0.1)
