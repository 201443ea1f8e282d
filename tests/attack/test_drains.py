"""Callers of the sandbox's drain, beside those who want to pay."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from grpc import aio

from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from paygate.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from tests.attack.forms import sized
from tests.chaos.rig import Rig

pytestmark = pytest.mark.attack

DRAINS, PAYMENTS = 520, int(sized(60, full=1000))


@pytest.fixture
async def rig(payments_database_url: str, acquirer_database_url: str) -> AsyncIterator[Rig]:
    """Two workers, a sweep and a bank; no relay, so that there is always something due."""
    async with Rig(payments_database_url, acquirer_database_url) as rig:
        yield rig


async def test_drains_leave_room_for_others(rig: Rig) -> None:
    """520 at once hold up no payment: what is too much of them is refused, and says so."""
    await rig.authorized()
    metadata = (("authorization", f"Bearer {rig.api_key}"),)
    request = sandbox.DrainRequest(timeout=Duration(seconds=30))

    async def drain(number: int) -> grpc.StatusCode:
        stub = SandboxServiceStub(rig.channels[number % 2])
        try:
            await stub.Drain(request, metadata=metadata)
        except aio.AioRpcError as problem:
            return problem.code()
        return grpc.StatusCode.OK

    drains = [asyncio.create_task(drain(number)) for number in range(DRAINS)]
    await asyncio.wait(drains, return_when=asyncio.FIRST_COMPLETED)
    for _ in range(PAYMENTS // 10):
        await asyncio.gather(*(rig.authorized() for _ in range(10)))

    refused = {task.result() for task in drains if task.done()}
    for task in drains:
        task.cancel()
    await asyncio.gather(*drains, return_exceptions=True)
    # What was begun runs to its end, and workers that are told to end wait for it.
    await asyncio.gather(*(worker.kill() for worker in rig.workers))
    assert refused == {grpc.StatusCode.RESOURCE_EXHAUSTED}
