"""A merchant's share of a server, from the first byte of a call to the end of what it began."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc import aio

from pkg.errors import RateLimitedError
from pkg.grpc.auth import Authenticator, KeyDigest, KeyRecord, new_api_key
from pkg.grpc.guard import Context, Guard, metadata_values
from pkg.grpc.limits import Buckets, CallerLimits, Gate, Rate
from pkg.grpc.refusals import Refusal
from pkg.grpc.scopes import FULL_ACCESS
from pkg.secret import Secret
from tests.servers import serve_unary, server_with

DIGEST = KeyDigest(Secret("ab" * 32))
PLACES, SHARE = 8, 6
REFUSED = Refusal(code=grpc.StatusCode.RESOURCE_EXHAUSTED, reason="RATE_LIMITED", message="no")


def refuse(problem: Exception) -> Refusal | None:
    """Refuse what is too much, and take the rest for a bug."""
    return REFUSED if isinstance(problem, RateLimitedError) else None


async def until(so: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(10):
        while not so():
            await asyncio.sleep(0.001)


@dataclass
class Server:
    """A server whose calls end, and whose keys are found, when it is told to."""

    channel: aio.Channel
    found: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    keys: dict[str, KeyRecord] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)
    begun: int = 0
    ended: int = 0

    def __post_init__(self) -> None:
        self.limit(None)

    def limit(self, calls: Buckets | None) -> None:
        """Let each key make so many calls."""
        limits = CallerLimits(calls=calls, refused=self.refused.append)
        self._authenticator = Authenticator(self, DIGEST, limits=limits)

    async def find_key(self, key_id: str) -> KeyRecord | None:
        """Return the key with that id, once it may be found."""
        await self.found.wait()
        return self.keys.get(key_id)

    async def answer(self, request: StringValue, context: Context) -> StringValue:
        """Do something slow for whoever calls."""
        await self._authenticator.caller_of(metadata_values(context, "authorization")[0])
        self.begun += 1
        try:
            if request.value == "slow":
                await self.done.wait()
        finally:
            self.ended += 1
        return request

    def key_of(self, merchant_id: str) -> str:
        """Return a new key of the merchant's."""
        key_id, key = new_api_key()
        self.keys[key_id] = KeyRecord(
            merchant_id=merchant_id, digest=DIGEST.of(key), scopes=FULL_ACCESS
        )
        return key

    async def ask(self, key: str, text: str = "") -> grpc.StatusCode:
        """Call, and return how it ended."""
        call = self.channel.unary_unary(
            "/test.Echo/Say",
            request_serializer=StringValue.SerializeToString,
            response_deserializer=StringValue.FromString,
        )(
            StringValue(value=text),
            metadata=(("authorization", f"Bearer {key}"),),
            timeout=10,
        )
        with suppress(aio.AioRpcError):
            await call
        return await call.code()

    async def refusals(self, count: int) -> None:
        """Wait until so many were refused."""
        await until(lambda: len(self.refused) == count)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """A server with few places."""
    abandoned: list[str] = []
    running = server_with(Guard(refuse, Gate(PLACES)), abandoned=abandoned.append)
    port = running.add_insecure_port("127.0.0.1:0")
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        server = Server(channel, abandoned=abandoned)
        serve_unary(running, "test.Echo", "Say", server.answer, StringValue)
        await running.start()
        yield server
        server.found.set()  # for what a test that fails has left behind: it runs to its end
        server.done.set()
    await running.stop(None)


async def test_a_merchant_has_its_share_whatever_its_keys(server: Server) -> None:
    """More than that is refused and counted; others go on, and it does when its own have ended."""
    server.found.set()
    keys, other = [server.key_of("mer_a") for _ in range(2)], server.key_of("mer_b")
    for key in keys:  # until it is known whose it is, each has a share of its own
        assert await server.ask(key) is grpc.StatusCode.OK
    calls = [asyncio.create_task(server.ask(key, "slow")) for key in keys * PLACES]
    await server.refusals(2 * PLACES - SHARE)
    assert await server.ask(other) is grpc.StatusCode.OK
    server.done.set()
    ended = await asyncio.gather(*calls)
    assert ended.count(grpc.StatusCode.OK) == SHARE
    assert ended.count(grpc.StatusCode.RESOURCE_EXHAUSTED) == 2 * PLACES - SHARE
    assert set(server.refused) == {"places"}
    assert await server.ask(keys[0]) is grpc.StatusCode.OK


async def test_a_key_that_calls_too_often_takes_no_share(server: Server) -> None:
    """It is refused for that, before its call counts as one more of the merchant's."""
    server.found.set()
    server.limit(Buckets(Rate(per_second=0.001, burst=SHARE)))
    key = server.key_of("mer_a")
    calls = [asyncio.create_task(server.ask(key, "slow")) for _ in range(SHARE)]
    await until(lambda: server.begun == SHARE)
    assert await server.ask(key) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert server.refused == ["key"]
    server.done.set()
    await asyncio.gather(*calls)


async def test_who_waits_for_a_key_has_no_more(server: Server) -> None:
    """Calls count before it is known whose they are: a burst on a new key shuts nobody out."""
    server.found.set()
    key, other = server.key_of("mer_a"), server.key_of("mer_b")
    assert await server.ask(other) is grpc.StatusCode.OK
    server.found.clear()
    calls = [asyncio.create_task(server.ask(key)) for _ in range(3 * PLACES)]
    await server.refusals(3 * PLACES - SHARE)
    assert await server.ask(other) is grpc.StatusCode.OK
    server.found.set()
    ended = await asyncio.gather(*calls)
    assert ended.count(grpc.StatusCode.OK) == SHARE
    assert ended.count(grpc.StatusCode.RESOURCE_EXHAUSTED) == 3 * PLACES - SHARE


async def test_who_hangs_up_keeps_its_places(server: Server) -> None:
    """Until the work has ended; so calling anew piles up nothing."""
    server.found.set()
    key, other = server.key_of("mer_a"), server.key_of("mer_b")
    calls = [asyncio.create_task(server.ask(key, "slow")) for _ in range(SHARE)]
    await until(lambda: server.begun == SHARE)
    for call in calls:
        call.cancel()
    await until(lambda: len(server.abandoned) == SHARE)
    assert await server.ask(key) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert await server.ask(other) is grpc.StatusCode.OK
    ended = server.ended
    server.done.set()
    await until(lambda: server.ended == ended + SHARE)
    assert await server.ask(key) is grpc.StatusCode.OK
