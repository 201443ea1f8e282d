"""A call on gRPC's core, which is also the context that its handler gets."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Never, Protocol

import grpc
import structlog
from grpc import aio

from pkg.grpc.servers import core

logger = structlog.get_logger()

_NO_DEADLINE = 1e11  # seconds since 1970; what has none is further away
_OK: int = grpc.StatusCode.OK.value[0]
NOT_IMPLEMENTED = "Method not implemented!"  # as generated code says


@dataclass(frozen=True, slots=True)
class Method:
    """A method that the server has.

    Attributes:
        name: As `/package.Service/Method`.
        handle: What it does, with the interceptors around it.
        read: Makes a request of bytes; None if the handler takes bytes.
        write: Makes bytes of a reply; None if the handler returns bytes.
    """

    name: str
    handle: Callable[[Any, Any], Any]
    read: Callable[[bytes], Any] | None
    write: Callable[[Any], bytes] | None

    def request_of(self, data: bytes) -> Any:
        """Return the message that the handler gets."""
        return data if self.read is None else self.read(data)

    def bytes_of(self, reply: Any) -> bytes:
        """Return what is sent.

        Raises:
            TypeError: The handler has returned what is no message of its method.
        """
        data = reply if self.write is None else self.write(reply)
        if type(data) is not bytes:
            raise TypeError(f"a reply is bytes at last, not {type(data).__name__}")
        return data


class Host(Protocol):
    """The server that a call is of."""

    abandoned: Callable[[str], object]  # told the method of a call that runs on without its client

    @property
    def is_open(self) -> bool:
        """Whether gRPC still takes operations."""

    def ended(self, call: "CoreCall") -> None:
        """Count a call no more."""


def _sent(_event: core.Event) -> None:
    """Take note of nothing: what could not be sent, the client has not waited for."""


class CoreCall(aio.ServicerContext[Any, Any]):
    """What all kinds of calls have in common.

    Attributes:
        is_gone: Whether the client has gone: it hung up, or its deadline passed.
        is_ended: Whether the status was sent, after which nothing else can be.
    """

    # Here and not in `__init__`, for most calls leave them so.
    is_gone = is_ended = _is_aborted = False
    _initial: core.Metadata | None = ()  # None once it was sent
    _trailing: core.Metadata = ()
    _code = _OK
    _details = ""
    _task: asyncio.Task[None] | None = None

    def __init__(self, host: Host, method: Method, event: core.Event) -> None:
        self._host = host
        self._method = method
        self._call = event.call
        self._deadline = event.call_details.deadline
        self._metadata = event.invocation_metadata

    def begin(self) -> None:
        """Take the call up."""
        self._call.start_server_batch((core.RECEIVE_CLOSE(0),), self._closed)

    def _closed(self, event: core.Event) -> None:
        """Learn that the call is over, for the client too, or that it was cancelled."""
        if event.batch_operations[0].cancelled():
            self.is_gone = True
            if self._task is not None and not self.is_ended:
                self._left(self._task)

    def _left(self, task: asyncio.Task[None]) -> None:
        """Do what is to be done when the client has gone before the handler's end."""
        raise NotImplementedError

    def _start(self, operations: Sequence[Any], tag: core.Tag) -> bool:
        """Begin operations; return whether they have begun."""
        if not self._host.is_open:
            return False
        try:
            error = self._call.start_server_batch(operations, tag)
        except Exception:
            # Such as metadata that is no text. Nothing of what it holds is told.
            logger.exception("operations can't be begun", method=self._method.name)
            return False
        if error:
            logger.error("gRPC refuses operations", method=self._method.name, error=error)
        return not error

    def _fail(self, problem: BaseException) -> None:
        """Note how a call ends whose handler has raised this. Nothing of its text is told."""
        match problem:
            case aio.AbortError():
                pass  # the status is noted
            case NotImplementedError():
                self._end_as(grpc.StatusCode.UNIMPLEMENTED, NOT_IMPLEMENTED)
            case asyncio.CancelledError():
                self._end_as(grpc.StatusCode.CANCELLED, "")
            case _:
                logger.error("a handler failed", method=self._method.name, exc_info=problem)
                self._end_as(grpc.StatusCode.UNKNOWN, "")

    def _end_as(self, code: grpc.StatusCode, details: str) -> None:
        if not self._is_aborted:
            self._code, self._details = code.value[0], details

    def _finish(self, reply: bytes | None) -> None:
        """Send the end of the answer, all of it that was not sent before, in one batch."""
        self._host.ended(self)
        self.is_ended = True
        if self.is_gone:
            return
        operations: list[Any] = []
        if self._initial is not None:
            operations.append(core.SEND_INITIAL_METADATA(self._initial, 0))
        if self._code == _OK and reply is not None:
            operations.append(core.SEND_MESSAGE(reply, 0))
        details = self._details.encode(errors="replace")
        operations.append(core.SEND_STATUS(self._trailing, self._code, details, 0))
        if not self._start(operations, _sent):
            # As little as can be wrong.
            first = () if self._initial is None else (core.SEND_INITIAL_METADATA((), 0),)
            internal: int = grpc.StatusCode.INTERNAL.value[0]
            self._start((*first, core.SEND_STATUS((), internal, b"", 0)), _sent)

    def _run(self, handling: Coroutine[Any, Any, None]) -> None:
        """Run a handler. Nothing else holds its task than the call, and that the server does."""
        self._task = asyncio.get_running_loop().create_task(handling)

    def refuse(self, code: grpc.StatusCode, details: str) -> None:
        """Answer a call that has begun without its handler."""
        self._end_as(code, details)
        self._finish(None)

    # What follows is for the handler.

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Any = ()
    ) -> Never:
        """End the call with this status; nothing of the reply is sent."""
        if self._is_aborted:
            raise aio.UsageError("the call was aborted already")
        self._is_aborted = True
        self._code = code.value[0] or grpc.StatusCode.UNKNOWN.value[0]
        self._details = details or self._details
        self._trailing = tuple(trailing_metadata) or self._trailing
        raise aio.AbortError("Locally aborted.")

    async def abort_with_status(self, status: grpc.Status) -> Never:
        """End the call with this status."""
        await self.abort(status.code, status.details, status.trailing_metadata or ())

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        """Have these metadata go before the reply."""
        raise NotImplementedError

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        """Have these metadata go after the reply, in place of others."""
        self._trailing = tuple(trailing_metadata)

    def trailing_metadata(self) -> Any:
        """Return what goes after the reply."""
        return self._trailing

    def invocation_metadata(self) -> Any:
        """Return what the client has sent before its request."""
        return self._metadata

    def set_code(self, code: grpc.StatusCode) -> None:
        """Set how the call ends."""
        self._code = code.value[0]

    def set_details(self, details: str) -> None:
        """Set what is said about that."""
        self._details = details

    def details(self) -> str:
        """Return what is said about how the call ends."""
        return self._details

    def peer(self) -> str:
        """Return who calls."""
        return self._call.peer().decode()

    def time_remaining(self) -> float | None:  # type: ignore[override]  # the stub forgets None
        """Return how long the client still waits; None for as long as it takes."""
        if self._deadline > _NO_DEADLINE:
            return None
        return max(self._deadline - time.time(), 0.0)

    def cancelled(self) -> bool:
        """Return whether the client has gone: it hung up, or its deadline passed."""
        return self.is_gone

    def done(self) -> bool:
        """Return whether the call has ended, for the client at least."""
        return self.is_ended or self.is_gone

    async def read(self) -> Any:
        """Return the next request."""
        raise aio.UsageError("the method takes one request, which its handler has")

    async def write(self, message: Any) -> None:  # noqa: ARG002  # grpc's
        """Send a reply."""
        raise aio.UsageError("the method returns one reply")

    def set_compression(self, compression: grpc.Compression) -> None:
        """Compress replies: nothing of ours does."""
        raise NotImplementedError

    def disable_next_message_compression(self) -> None:
        """Send the next reply as it is, as all are."""

    def peer_identities(self) -> Iterable[bytes] | None:
        """Return who the client has proven to be: nothing of ours asks."""
        raise NotImplementedError

    def peer_identity_key(self) -> str | None:
        """Return what `peer_identities` go by."""
        raise NotImplementedError

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Return what the handshake has brought to light: nothing of ours asks."""
        raise NotImplementedError


class UnaryCall(CoreCall):
    """A call of one request and one reply. Its handler is never cancelled."""

    def begin(self) -> None:
        """Take the call up: its handler begins when the request is there."""
        super().begin()
        self._call.start_server_batch((core.RECEIVE_MESSAGE(0),), self._received)

    def _received(self, event: core.Event) -> None:
        data: bytes | None = event.batch_operations[0].message()
        if data is None:
            # If gRPC has refused the message, or the client has gone, this goes nowhere.
            self.refuse(
                grpc.StatusCode.UNIMPLEMENTED, f"{self._method.name} wants exactly one request."
            )
        else:
            self._run(self._handle(data))

    async def _handle(self, data: bytes) -> None:
        method, reply = self._method, None
        try:
            reply = method.bytes_of(await method.handle(method.request_of(data), self))
        except (Exception, asyncio.CancelledError) as problem:  # noqa: BLE001  # it is logged there
            self._fail(problem)
        finally:
            self._finish(reply)

    def _left(self, task: asyncio.Task[None]) -> None:  # noqa: ARG002  # it runs on
        self._host.abandoned(self._method.name)

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        """Have these metadata go before the reply, together with it."""
        if self._initial:
            raise aio.UsageError("initial metadata were sent already")
        self._initial = tuple(initial_metadata)
