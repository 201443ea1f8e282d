"""Calls of which one side or both send any number of messages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc
from grpc import aio

from pkg.grpc.servers import core
from pkg.grpc.servers.call import CoreCall

# A client that reads takes a message in less.
_TAKEN_SECONDS = 0.1


class StreamCall(CoreCall):
    """A call that streams. Its handler is cancelled when the client goes.

    Whoever writes waits until gRPC has taken the message, which it does when the client has room
    for it; whoever does not read lets the client wait. So each side goes at the other's pace.
    """

    _outgoing: "asyncio.Future[bool] | None" = None
    _incoming: "asyncio.Future[bytes | None] | None" = None

    def _left(self, task: asyncio.Task[None]) -> None:
        task.cancel()

    def _begin_handler(self) -> None:
        self._run(self._handle())
        if self._task is not None:
            # Not at the end of the handler: one that is cancelled at once never begins.
            self._task.add_done_callback(self._over)

    async def _handle(self) -> None:
        reply = None
        try:
            reply = await self._handled()
        except (Exception, asyncio.CancelledError) as problem:  # noqa: BLE001  # it is logged there
            self._fail(problem)
        if self._outgoing is not None and not self.is_gone:
            # As a rule it has been taken, and we have not heard so yet: then the status goes whole.
            await asyncio.wait([self._outgoing], timeout=_TAKEN_SECONDS)
        self._finish(reply)

    def _over(self, _task: asyncio.Task[None]) -> None:
        if not self.is_ended:
            self._finish(None)

    async def _handled(self) -> bytes | None:
        """Run the handler, and return the one reply if there is but one."""
        raise NotImplementedError

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        """Send these metadata now."""
        if self._initial is None:
            raise aio.UsageError("initial metadata were sent already")
        self._initial = tuple(initial_metadata)
        await self._send(())

    async def read(self) -> Any:
        """Return the next request, or `aio.EOF` after the last one.

        A read that is given up loses nothing: the next one returns what it waited for.
        """
        if self._incoming is None:
            self._incoming = asyncio.get_running_loop().create_future()
            if not self._start((core.RECEIVE_MESSAGE(0),), self._received):
                self._incoming.set_result(None)
        data = await asyncio.shield(self._incoming)
        self._incoming = None
        return aio.EOF if data is None else self._method.request_of(data)

    async def write(self, message: Any) -> None:
        """Send a reply; return when there is room for another one."""
        await self._send((core.SEND_MESSAGE(self._method.bytes_of(message), 0),))

    async def requests(self) -> AsyncIterator[Any]:
        """Return the requests one after the other."""
        while (request := await self.read()) is not aio.EOF:
            yield request

    async def _send(self, operations: tuple[Any, ...]) -> None:
        while self._outgoing is not None:  # gRPC takes one at a time
            await asyncio.shield(self._outgoing)
        if self.is_gone:
            raise asyncio.CancelledError
        if self.is_ended:
            raise aio.UsageError("the call has ended")
        if self._initial is not None:
            operations = (core.SEND_INITIAL_METADATA(self._initial, 0), *operations)
            self._initial = None
        self._outgoing = sending = asyncio.get_running_loop().create_future()
        if not self._start(operations, self._was_sent):
            self._outgoing = None
            raise aio.InternalError("the message can't be sent")
        if not await asyncio.shield(sending):
            raise asyncio.CancelledError  # the client has gone

    def _was_sent(self, event: core.Event) -> None:
        sending, self._outgoing = self._outgoing, None
        if sending is not None:
            sending.set_result(event.success)

    def _received(self, event: core.Event) -> None:
        assert self._incoming is not None
        self._incoming.set_result(event.batch_operations[0].message())

    async def _replied(self, request: Any) -> None:
        """Run a handler that yields its replies, or one that writes them itself."""
        replies = self._method.handle(request, self)
        if hasattr(replies, "__aiter__"):
            async with aclosing(replies):
                async for reply in replies:
                    await self.write(reply)
        else:
            await replies
        while self._outgoing is not None:
            await asyncio.shield(self._outgoing)


class ServerStream(StreamCall):
    """One request, many replies."""

    _request = b""

    def begin(self) -> None:
        """Take the call up: its handler begins when the request is there."""
        super().begin()
        self._call.start_server_batch((core.RECEIVE_MESSAGE(0),), self._requested)

    def _requested(self, event: core.Event) -> None:
        data: bytes | None = event.batch_operations[0].message()
        if data is None:
            self.refuse(
                grpc.StatusCode.UNIMPLEMENTED, f"{self._method.name} wants exactly one request."
            )
        else:
            self._request = data
            self._begin_handler()

    async def _handled(self) -> None:
        await self._replied(self._method.request_of(self._request))

    def _finish(self, reply: bytes | None) -> None:
        if self._outgoing is not None and not self.is_gone:
            # The handler has given up on a client that does not read. The status would wait behind
            # the message that the client has no room for, and the server's end for both.
            self._call.cancel(self._code, self._details)
            self.is_gone = True
        super()._finish(reply)


class BothStream(StreamCall):
    """Many requests, many replies, in any order."""

    def begin(self) -> None:
        """Take the call up, and begin its handler."""
        super().begin()
        self._begin_handler()

    async def _handled(self) -> None:
        await self._replied(self.requests())


class ClientStream(StreamCall):
    """Many requests, one reply."""

    def begin(self) -> None:
        """Take the call up, and begin its handler."""
        super().begin()
        self._begin_handler()

    async def _handled(self) -> bytes:
        method = self._method
        return method.bytes_of(await method.handle(self.requests(), self))
