"""A service for both kinds of servers, with a handler for everything that they promise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import BytesValue
from grpc import aio
from grpc_health.v1 import health_pb2_grpc

from pkg.grpc.guard import Context, Guard
from pkg.grpc.health_checks import HealthChecks
from pkg.grpc.refusals import Refusal
from pkg.grpc.server import options
from pkg.grpc.servers.make import ServerKind, make_server

KINDS = pytest.mark.parametrize("kind", list(ServerKind))
SERVICE = "test.Service"
SECRET = "4929123412341234"
REFUSED = Refusal(code=grpc.StatusCode.FAILED_PRECONDITION, reason="NO", message="nö: ä%")
# More than gRPC keeps on its way for a client that does not read.
LARGE = bytes(256 * 1024)


class NoError(Exception):
    """What is refused."""


@dataclass
class Service:
    """Handlers, and what became of them."""

    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    begun: int = 0
    ended: int = 0
    cancelled: int = 0
    written: int = 0
    seen: list[bool] = field(default_factory=list)

    async def echo(self, request: BytesValue, context: Context) -> BytesValue:
        """Return the request."""
        return request

    async def wait(self, request: BytesValue, context: Context) -> BytesValue:
        """Return the request when it may; note whether the client was still there."""
        self.begun += 1
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.ended += 1
        self.seen.append(not context.cancelled())
        if request.value == b"refused":
            raise NoError
        if request.value == b"failed":
            raise ValueError(SECRET)
        return request

    async def refuse(self, _request: BytesValue, _context: Context) -> BytesValue:
        """Refuse."""
        raise NoError

    async def fail(self, request: BytesValue, _context: Context) -> BytesValue:
        """Fail, with a text that nobody may read."""
        raise ValueError(SECRET)

    async def wrong(self, _request: BytesValue, _context: Context) -> Any:
        """Return what is no message."""
        return 5

    def missing(self, _request: BytesValue, _context: Context) -> BytesValue:
        """Be what generated code has for a method that nobody has written."""
        raise NotImplementedError

    async def metadata(self, _request: BytesValue, context: Context) -> BytesValue:
        """Return the metadata that begin with `m`, and send some."""
        found: Any = context.invocation_metadata()
        mine = sorted((key, value) for key, value in found if key.startswith("m"))
        await context.send_initial_metadata((("i-a", "1"), ("i-b-bin", b"\x00\xff")))
        context.set_trailing_metadata((("t-a", "2"), ("t-b-bin", b"\xff\x00")))
        return BytesValue(value=repr(mine).encode())

    async def unfit(self, _request: BytesValue, context: Context) -> BytesValue:
        """Send metadata that gRPC does not take."""
        context.set_trailing_metadata((("Not a name", "x"),))
        return BytesValue(value=b"x")

    async def about(self, _request: BytesValue, context: Context) -> BytesValue:
        """Return who calls, and how long they wait."""
        told = (context.peer().split(":")[0], context.time_remaining())
        return BytesValue(value=repr(told).encode())

    async def send(self, request: BytesValue, context: Context) -> AsyncIterator[BytesValue]:
        """Yield as many messages as the request says, each with its number."""
        for number in range(int(request.value)):
            yield BytesValue(value=b"%d" % number)

    async def send_large(self, _request: BytesValue, context: Context) -> None:
        """Write large messages for ever, and count those that were taken."""
        try:
            while True:
                await context.write(BytesValue(value=LARGE))
                self.written += 1
        finally:  # grpc.aio tells some by an error of the write instead of cancelling
            self.cancelled += 1

    async def send_then(self, request: BytesValue, context: Context) -> AsyncIterator[BytesValue]:
        """Yield one message, and go wrong."""
        yield request
        raise (NoError if request.value == b"refused" else ValueError(SECRET))

    async def gather(self, requests: AsyncIterator[BytesValue], context: Context) -> BytesValue:
        """Return all requests in one."""
        return BytesValue(value=b"".join([request.value async for request in requests]))

    async def converse(
        self, requests: AsyncIterator[BytesValue], context: Context
    ) -> AsyncIterator[BytesValue]:
        """Answer each request when it comes."""
        self.begun += 1
        try:
            async for request in requests:
                yield BytesValue(value=b"re " + request.value)
            yield BytesValue(value=b"bye")
        except (asyncio.CancelledError, GeneratorExit):
            # The latter if it has heard first that no request comes any more: then it hears by its
            # last reply, which nobody takes, that the client has gone.
            self.cancelled += 1
            raise
        finally:
            self.ended += 1

    async def line(self, _requests: AsyncIterator[BytesValue], context: Context) -> None:
        """Read and write at once: each request twice, whoever comes first."""
        await context.send_initial_metadata((("i-a", "1"),))
        writing = asyncio.Lock()  # grpc.aio takes one message at a time

        async def answer(request: BytesValue) -> None:
            for _ in range(2):
                async with writing:
                    await context.write(request)

        async with asyncio.TaskGroup() as answers:
            while (request := await context.read()) is not aio.EOF:
                answers.create_task(answer(request))

    async def wait_for_room(self, _requests: AsyncIterator[BytesValue], context: Context) -> None:
        """Read nothing."""
        await self.may_end.wait()

    def add_to(self, server: aio.Server) -> None:
        """Have a server serve all that."""
        one, many = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
        both: Any = grpc.stream_stream_rpc_method_handler
        kinds: dict[str, Any] = {
            **dict.fromkeys(("send", "send_large", "send_then"), many),
            **dict.fromkeys(("converse", "line", "wait_for_room"), both),
            "gather": grpc.stream_unary_rpc_method_handler,
        }
        unary = ("echo", "wait", "refuse", "fail", "wrong", "missing", "metadata", "unfit", "about")
        handlers = {
            name: kinds.get(name, one)(
                getattr(self, name),
                request_deserializer=BytesValue.FromString,
                response_serializer=BytesValue.SerializeToString,
            )
            for name in (*unary, *kinds)
        }
        server.add_registered_method_handlers(SERVICE, handlers)


@dataclass
class Served:
    """A server that serves, and a client's line to it."""

    server: aio.Server
    port: int
    channel: aio.Channel
    service: Service
    health: HealthChecks
    abandoned: list[str]

    def call(self, name: str, value: bytes = b"x", **told: Any) -> Any:
        """Call a method that answers once."""
        return self._method(self.channel.unary_unary, name)(
            BytesValue(value=value), timeout=told.pop("timeout", 10), **told
        )

    def stream(self, name: str, value: bytes = b"x", **told: Any) -> Any:
        """Call a method that answers any number of times."""
        return self._method(self.channel.unary_stream, name)(BytesValue(value=value), **told)

    def talk(self, name: str, **told: Any) -> Any:
        """Call a method that is asked and answers any number of times."""
        return self._method(self.channel.stream_stream, name)(**told)

    def _method(self, kind: Any, name: str) -> Any:
        return kind(
            name if "/" in name else f"/{SERVICE}/{name}",
            request_serializer=BytesValue.SerializeToString,
            response_deserializer=BytesValue.FromString,
        )


def refuse(problem: Exception) -> Refusal | None:
    """Refuse what is refused, and take the rest for a bug."""
    return REFUSED if isinstance(problem, NoError) else None


@asynccontextmanager
async def serving(
    kind: ServerKind, *, calls_max: int | None = None, more: tuple[tuple[str, Any], ...] = ()
) -> AsyncIterator[Served]:
    """Serve with the options and the guard of all our servers."""
    abandoned: list[str] = []
    service, checks = Service(), HealthChecks()
    server = make_server(
        kind,
        interceptors=(Guard(refuse),),
        options=(*options(), *more),
        calls_max=calls_max,
        abandoned=abandoned.append,
    )
    service.add_to(server)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Served(server, port, channel, service, checks, abandoned)
    finally:
        service.may_end.set()
        await server.stop(0)


async def until(so: Any) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(10):
        while not so():
            await asyncio.sleep(0.001)


async def outcome(call: Any) -> tuple[grpc.StatusCode, str]:
    """Return how a call ends."""
    return await call.code(), await call.details()
