"""An asyncio server on gRPC's core, without grpc.aio's layer between: 40 µs a call, not 150."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import grpc
from grpc import aio

from pkg.grpc.servers import core
from pkg.grpc.servers.call import CoreCall, Method, UnaryCall
from pkg.grpc.servers.queue import Queue
from pkg.grpc.servers.streams import BothStream, ClientStream, ServerStream

# Calls that gRPC may hand over before it is asked for more.
CALLS_ASKED_FOR = 64


class _Details(NamedTuple):
    """What interceptors are told of a method: they are asked once, and not for each call."""

    method: str
    invocation_metadata: tuple[()] = ()


class CoreServer(aio.Server):
    """Takes the place of grpc.aio's server.

    Args:
        interceptors: Around each handler, the first outermost. They are asked for it once, when the
            server starts, and learn nothing of a call but its method.
        options: gRPC's.
        calls_max: How many calls may be under way; more are refused. None for any number.
        abandoned: Told the method of a call that runs on after its client has gone.
    """

    def __init__(
        self,
        *,
        interceptors: Sequence[aio.ServerInterceptor] = (),
        options: Sequence[tuple[str, Any]] = (),
        calls_max: int | None = None,
        abandoned: Callable[[str], object] = lambda _method: None,
    ) -> None:
        self._interceptors = interceptors
        self._calls_max = calls_max
        self.abandoned = abandoned
        self._queue = Queue()
        self._server = core.Server(tuple(options), False)  # without xDS
        self._server.register_completion_queue(self._queue.core)
        self.services: set[str] = set()
        self._found: dict[str, Any] = {}
        self._methods: dict[bytes, tuple[type[CoreCall], Method]] = {}
        self._calls: set[CoreCall] = set()
        self._is_serving = False
        self._idle: asyncio.Event | None = None  # once the server ends: set when no call is left
        self._ending: asyncio.Task[None] | None = None

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Iterable[Any]) -> None:
        """Note the services: generated code names their methods one by one as well, below."""
        self.services.update(handler.service_name() for handler in generic_rpc_handlers)

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, Any]
    ) -> None:
        """Serve these methods, by their names."""
        self.services.add(service_name)
        for name, handler in method_handlers.items():
            self._found[f"/{service_name}/{name}"] = handler

    def add_insecure_port(self, address: str) -> int:
        """Listen there, in plain text.

        Raises:
            RuntimeError: The port is taken.
        """
        return _bound(address, self._server.add_http2_port(address.encode()))

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int:
        """Listen there, with TLS.

        Raises:
            RuntimeError: The port is taken.
        """
        credentials: Any = server_credentials
        port = self._server.add_http2_port(address.encode(), credentials._credentials)  # noqa: SLF001  # as grpc's own servers
        return _bound(address, port)

    async def start(self) -> None:
        """Begin to serve.

        Raises:
            ValueError: Of a service there are no methods by name.
        """
        unnamed = self.services.difference(name.split("/")[1] for name in self._found)
        if unnamed:
            raise ValueError(f"methods are served by their names, which are missing of {unnamed}")
        for name, handler in self._found.items():
            method = await self._intercepted(name, handler)
            if method is not None:
                self._methods[name.encode()] = method
        self._is_serving = True
        self._server.start(backup_queue=False)
        self._queue.open()
        for _ in range(CALLS_ASKED_FOR):
            self._ask()

    async def stop(self, grace: float | None) -> None:
        """Take no more calls, and return when all that are under way have ended.

        Args:
            grace: After so many seconds clients are cut off; None for at once. Handlers that answer
                once still run to their end.
        """
        if not self._is_serving:
            return
        if self._ending is None:
            shut = asyncio.Event()
            self._server.shutdown(self._queue.core, lambda _event: shut.set())
            self._ending = asyncio.create_task(self._end(shut))
        if grace is not None:
            await asyncio.wait((self._ending,), timeout=grace)
        if not self._ending.done():
            self._server.cancel_all_calls()
        await asyncio.shield(self._ending)

    async def wait_for_termination(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109  # grpc's
        """Do what nothing of ours needs."""
        raise NotImplementedError

    async def _end(self, shut: asyncio.Event) -> None:
        await shut.wait()  # until gRPC has no connections any more
        if self._calls:  # whose clients have gone
            self._idle = asyncio.Event()
            await self._idle.wait()
        await self._queue.close()
        self._server.destroy()

    async def _intercepted(self, name: str, handler: Any) -> tuple[type[CoreCall], Method] | None:
        """Return a method with the interceptors around it; None if one of them refuses it."""

        async def innermost(_details: object) -> Any:
            return handler

        chain: Any = innermost
        for interceptor in reversed(self._interceptors):
            chain = _around(interceptor, chain)
        found = await chain(_Details(name))
        return None if found is None else _method(name, found)

    def _ask(self) -> None:
        self._server.request_call(self._queue.core, self._queue.core, self._called)

    def _called(self, event: core.Event) -> None:
        if self._ending is None:
            self._ask()
        if not event.success:
            return  # it was asked for in vain: the server ends
        kind, method = self._methods.get(event.call_details.method, _UNKNOWN)
        call = kind(self, method, event)
        if method is _UNKNOWN[1]:
            CoreCall.begin(call)
            call.refuse(grpc.StatusCode.UNIMPLEMENTED, "Method not found!")
        elif self._calls_max is not None and len(self._calls) >= self._calls_max:
            CoreCall.begin(call)
            call.refuse(grpc.StatusCode.RESOURCE_EXHAUSTED, "Concurrent RPC limit exceeded!")
        else:
            self._calls.add(call)
            call.begin()

    @property
    def is_open(self) -> bool:
        """Whether gRPC still takes operations; asked by calls."""
        return self._queue.is_open

    def ended(self, call: CoreCall) -> None:
        """Count a call no more; told by it."""
        self._calls.discard(call)
        if self._idle is not None and not self._calls:
            self._idle.set()


def _around(interceptor: aio.ServerInterceptor, inner: Any) -> Any:
    def step(details: Any) -> Any:
        return interceptor.intercept_service(inner, details)

    return step


def _method(name: str, handler: Any) -> tuple[type[CoreCall], Method]:
    kind: type[CoreCall]
    match handler.request_streaming, handler.response_streaming:
        case False, False:
            kind, handle = UnaryCall, handler.unary_unary
        case False, True:
            kind, handle = ServerStream, handler.unary_stream
        case True, False:
            kind, handle = ClientStream, handler.stream_unary
        case _:
            kind, handle = BothStream, handler.stream_stream
    read, write = handler.request_deserializer, handler.response_serializer
    return kind, Method(name, handle, read, write)


def _bound(address: str, port: int) -> int:
    if port == 0:
        raise RuntimeError(f"Failed to bind to address {address}.")
    return port


def _nothing(_request: object, _context: object) -> None:
    """Stand for the handler of a method that there is not."""


_UNKNOWN = (UnaryCall, Method("", _nothing, None, None))
