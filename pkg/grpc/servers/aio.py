"""grpc.aio's server, held to the promise of ours: what answers once is never cancelled."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import grpc
from grpc import aio

# Of a context, what does not touch the call: grpc.aio frees that when the client has gone.
_ABOUT_NO_CALL = frozenset(
    {"invocation_metadata", "set_code", "set_details", "set_trailing_metadata", "time_remaining"}
)


class AioServer(aio.Server):
    """grpc.aio's server; its arguments are those of `CoreServer`."""

    def __init__(
        self,
        *,
        interceptors: Sequence[aio.ServerInterceptor] = (),
        options: Sequence[tuple[str, Any]] = (),
        calls_max: int | None = None,
        abandoned: Callable[[str], object] = lambda _method: None,
    ) -> None:
        self.services: set[str] = set()
        self._to_the_end = _ToTheEnd(abandoned)
        self._server = aio.server(
            interceptors=(self._to_the_end, *interceptors),
            options=tuple(options),
            maximum_concurrent_rpcs=calls_max,
        )

    def add_generic_rpc_handlers(
        self, generic_rpc_handlers: Iterable[grpc.GenericRpcHandler]
    ) -> None:
        """Do nothing: generated code names the same methods one by one as well, below."""

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: Mapping[str, Any]
    ) -> None:
        """Serve these methods, by their names."""
        self.services.add(service_name)
        # As one handler for all: for methods that are registered grpc.aio waits one by one, anew
        # at each call, which costs it 90 µs.
        generic = grpc.method_handlers_generic_handler(service_name, dict(method_handlers))
        self._server.add_generic_rpc_handlers((generic,))

    def add_insecure_port(self, address: str) -> int:
        """Listen there, in plain text."""
        return self._server.add_insecure_port(address)

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int:
        """Listen there, with TLS."""
        return self._server.add_secure_port(address, server_credentials)

    async def start(self) -> None:
        """Begin to serve."""
        await self._server.start()

    async def stop(self, grace: float | None) -> None:
        """Take no more calls, and return when all that are under way have ended."""
        await self._server.stop(grace)
        await self._to_the_end.drain()

    async def wait_for_termination(self, timeout: float | None = None) -> bool:  # noqa: ASYNC109  # grpc's
        """Wait for somebody else to stop it."""
        return await self._server.wait_for_termination(timeout)


class _ToTheEnd(aio.ServerInterceptor):
    """Runs each handler that answers once in a task of its own, which nobody cancels."""

    def __init__(self, abandoned: Callable[[str], object]) -> None:
        self._abandoned = abandoned
        self._tasks: set[asyncio.Task[Any]] = set()

    async def drain(self) -> None:
        """Wait until everything has ended whose client may be gone."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Return the handler, in a task of its own."""
        handler = await continuation(handler_call_details)
        if handler is None or handler.unary_unary is None:
            return handler
        return grpc.unary_unary_rpc_method_handler(
            partial(self._call, handler_call_details.method, handler.unary_unary),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    async def _call(self, method: str, inner: Any, request: Any, context: Any) -> Any:
        lasting = _LastingContext(context)
        loop = asyncio.get_running_loop()

        async def handle() -> Any:
            return await inner(request, lasting)

        # Not asyncio.shield, which does the same and costs twice as much.
        task, ended = loop.create_task(handle()), loop.create_future()
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, ended))
        try:
            await ended
        except asyncio.CancelledError:
            if not task.done():
                lasting.is_gone = True
                self._abandoned(method)
            raise
        return task.result()

    def _ended(self, ended: "asyncio.Future[None]", task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not ended.done():
            ended.set_result(None)
        if not task.cancelled():
            task.exception()  # marks it as seen: whoever still waits has it, and nobody else need


class _LastingContext:
    """A context that outlives its call.

    What can't be sent to a client that has gone is not sent, and no fault: the handler ends as if
    it had been cancelled there.
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        self.is_gone = False

    def __getattr__(self, name: str) -> Any:
        if self.is_gone and name not in _ABOUT_NO_CALL:
            raise asyncio.CancelledError
        return getattr(self._context, name)

    def peer(self) -> str:
        """Return who calls; nobody, once it has gone."""
        return "" if self.is_gone else str(self._context.peer())

    def cancelled(self) -> bool:
        """Return whether the client has gone."""
        return self.is_gone

    def done(self) -> bool:
        """Return whether the call has ended."""
        return self.is_gone or bool(self._context.done())

    async def abort(self, *told: Any) -> None:
        """End the call with a status."""
        await self._sent("abort", *told)

    async def send_initial_metadata(self, metadata: Any) -> None:
        """Send these metadata before the reply."""
        await self._sent("send_initial_metadata", metadata)

    async def _sent(self, what: str, *told: Any) -> None:
        if self.is_gone:
            raise asyncio.CancelledError
        try:
            await getattr(self._context, what)(*told)
        except aio.InternalError:
            # The client has gone, and grpc has not heard of it yet. As a failure it would be
            # logged with a traceback, in front of it the one of whatever was refused.
            raise asyncio.CancelledError from None
