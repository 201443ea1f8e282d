"""Who watches misses nothing and gets nothing twice, whatever ends the stream meanwhile."""

import asyncio
import os
import signal
import time
from contextlib import suppress
from typing import Any

import httpx2 as httpx
from google.protobuf import json_format
from grpc import aio

from paygate.payments.v1 import payment_service_pb2 as pb
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.e2e.stack import Stack
from tests.e2e.watcher import AUTHORIZE, Follower, client, worker_of

AWAY_SECONDS = 3.0
# Notice is given for two seconds; then streams are not waited for.
END_SECONDS_MAX = 5.0


async def payments_until(stack: Stack, done: asyncio.Event) -> list[str]:
    """Pay one after the other, at the worker itself: that the edge is away disturbs nobody."""
    metadata, paid = (("authorization", f"Bearer {stack.api_key}"),), []
    request = json_format.ParseDict(AUTHORIZE, pb.AuthorizeRequest())
    async with aio.insecure_channel(worker_of(stack)) as channel:
        stub: Any = PaymentServiceStub(channel)
        while not done.is_set():
            reply = await stub.Authorize(request, metadata=metadata, timeout=10)
            paid.append(reply.payment.id)
            await asyncio.sleep(0.03)
    return paid


async def followed(stack: Stack, disturb: "asyncio.Future[object]") -> Follower:
    """Follow while something goes on; return what came of it, once all was told."""

    async def pause() -> None:
        await asyncio.sleep(0.1)

    async with client(stack) as asking, client(stack) as looking:
        follower, done = Follower(asking, pause), asyncio.Event()
        following = asyncio.create_task(follower.run())
        while not follower.cursor:
            await asyncio.sleep(0.01)
        working = asyncio.create_task(payments_until(stack, done))
        await disturb
        async with asyncio.timeout(20):
            streams = follower.streams
            while not await is_well(looking) or follower.streams < max(2, streams):
                await asyncio.sleep(0.1)
        done.set()
        paid = await working
        made = [one["id"] for one in (await listed(looking)) if one["id"] >= paid[0]]
        async with asyncio.timeout(20):
            while len(follower.seen) < len(made):
                await asyncio.sleep(0.05)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert sorted(made) == sorted(paid)
    assert sorted(follower.seen) == sorted(made)
    assert len(made) > 20
    assert follower.longest_silence < 10
    return follower


async def is_well(asking: httpx.AsyncClient) -> bool:
    """Tell whether the gateway can be reached."""
    try:
        return (await asking.get("/payments", params={"page_size": 1})).status_code == 200
    except httpx.TransportError:
        return False


async def listed(asking: httpx.AsyncClient) -> list[dict[str, str]]:
    """Return all payments, once none is under way."""
    found: list[dict[str, str]] = []
    token = ""
    assert (await asking.post("/sandbox/drain", json={"timeout": "10s"})).status_code == 200
    while True:
        page = await asking.get("/payments", params={"page_size": 100, "page_token": token})
        found += page.json()["payments"]
        token = page.json()["next_page_token"]
        if not token:
            return found


async def test_envoy_dies_and_is_away_for_some_seconds(lonely: Stack) -> None:
    """Payments go on at the workers, and the stream goes on from the last cursor."""

    async def kill() -> None:
        for _ in range(int(AWAY_SECONDS / 0.3)):
            await asyncio.sleep(0.3)
            with suppress(KeyError, ProcessLookupError):
                lonely.kill("envoy")

    await followed(lonely, asyncio.ensure_future(kill()))


async def test_the_worker_is_restarted(lonely: Stack) -> None:
    """It ends without waiting for the stream, which ends in good order and is taken up again."""
    pid = lonely.pids()["events"]

    async def restart() -> None:
        await asyncio.sleep(0.5)
        began = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        await asyncio.to_thread(lonely.restarted, "events", pid)
        assert time.monotonic() - began < END_SECONDS_MAX

    await followed(lonely, asyncio.ensure_future(restart()))


async def test_the_worker_dies(lonely: Stack) -> None:
    """Without a word."""

    async def kill() -> None:
        await asyncio.sleep(0.5)
        pid = lonely.kill("events")
        await asyncio.to_thread(lonely.restarted, "events", pid)

    await followed(lonely, asyncio.ensure_future(kill()))
