"""Idempotency keys of the sandbox's calls hold across kill -9: the clock counts the effects."""

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from grpc import aio

from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from paygate.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from tests.chaos.rig import Rig

pytestmark = pytest.mark.chaos

ROUNDS = 30 if os.environ.get("PAYGATE_CHAOS") == "full" else 3
KEYS = 40
# What a client tries again, with the same key; the last four are a stream that was cut.
AGAIN = {
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.INTERNAL,
}


async def advance(stub: Any, rig: Rig, key: str) -> bytes | None:
    """Turn the clock by a second under a key; None when the answer is to try again."""
    metadata = (("authorization", f"Bearer {rig.api_key}"), ("idempotency-key", key))
    request = sandbox.AdvanceClockRequest(by=Duration(seconds=1))
    try:
        reply = await stub.AdvanceClock(request, metadata=metadata, timeout=5)
    except aio.AioRpcError as problem:
        if problem.code() in AGAIN:
            return None
        raise
    return bytes(reply.SerializeToString())


async def answered(stubs: Sequence[Any], rig: Rig, key: str) -> set[bytes]:
    """Ask one worker after the other until there is an answer, and once more each."""
    got: set[bytes] = set()
    async with asyncio.timeout(30):
        while not got:
            for stub in stubs:
                if reply := await advance(stub, rig, key):
                    got.add(reply)
            await asyncio.sleep(0.05)
    return got


async def test_a_killed_worker_leaves_one_effect_for_each_key(rig: Rig) -> None:
    """Whenever it dies, a retry on another worker finds the reply, or does it."""
    stubs = [SandboxServiceStub(channel) for channel in rig.channels]
    first: dict[str, bytes] = {}
    for number in range(ROUNDS):
        keys = [f"{number}-{index}" for index in range(KEYS)]
        calls = {key: asyncio.create_task(advance(stubs[0], rig, key)) for key in keys}
        while not any(call.done() for call in calls.values()):
            await asyncio.sleep(0)
        await rig.workers[0].kill()
        for key, call in calls.items():
            if reply := await call:
                first[key] = reply
        await rig.workers[0].revive()
        for key in keys:
            got = await answered(stubs, rig, key)
            assert got == {first.setdefault(key, next(iter(got)))}

    metadata = (("authorization", f"Bearer {rig.api_key}"),)
    clock = await stubs[1].GetClock(sandbox.GetClockRequest(), metadata=metadata)
    assert clock.offset.seconds == ROUNDS * KEYS
