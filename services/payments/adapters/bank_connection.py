"""One connection to the bank and the line on it: reads and writes, until the line has ended."""

import asyncio
from collections.abc import Callable
from typing import Self

import grpc
import structlog
from grpc import aio

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from paygate.acquirer.v1.acquirer_service_pb2_grpc import AcquirerServiceStub
from pkg.observe.health import serves
from services.payments.adapters.bank_calls import Calls, told
from services.payments.adapters.bank_waiting import Waiting

logger = structlog.get_logger()

OPERATIONS_MAX = 128  # in one message, as the bank has it
# A bank that takes longer to say that the line is open is away.
OPEN_SECONDS_MAX = 2.0
# How long it may take to end a line on which nothing is open any more; and calls beside it.
END_SECONDS_MAX, CALLS_SECONDS_MAX = 1.0, 5.0

_Call = aio.StreamStreamCall[pb.LineRequest, pb.LineResponse]


class ClosingError(Exception):
    """The bank is about to end."""


class Connection:
    """A connection with a line; or without one, to a bank that has none.

    `is_wanted` until it is to be replaced: it is old, or the bank is about to end, or it has ended.

    Args:
        number: Of its line; each has another.
        channel: The connection, which is this one's alone, and is closed with it.
        call: The line, which is open; None for none.
        waiting: What is to be written, and what waits for answers.
    """

    def __init__(
        self, number: int, channel: aio.Channel, call: _Call | None, waiting: Waiting
    ) -> None:
        self.channel = channel
        self.unwanted = asyncio.Event()
        self._number = number
        self._call = call
        self._waiting = waiting
        self._is_retired = False
        self._awake = asyncio.Event()
        waiting.opened(number)

    @classmethod
    async def open(cls, number: int, channel: aio.Channel, waiting: Waiting) -> Self:
        """Open a line, and return once the bank has said that it is.

        Raises:
            ClosingError: The bank is there, but about to end.
            grpc.RpcError: There is no bank, or it refuses.
            TimeoutError: It says nothing.
        """
        call: _Call = AcquirerServiceStub(channel).Line()
        try:
            async with asyncio.timeout(OPEN_SECONDS_MAX):
                greeting = await call.read()
            if not isinstance(greeting, pb.LineResponse) or greeting.closing:
                raise ClosingError
        except aio.AioRpcError as problem:
            if problem.code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise
            return cls(number, channel, None, waiting)
        return cls(number, channel, call, waiting)

    @property
    def has_line(self) -> bool:
        """Whether there is a line, and not calls alone."""
        return self._call is not None

    async def is_of_no_use(self) -> bool:
        """Tell whether it is to be replaced, or the bank says nothing at all on it."""
        if self.unwanted.is_set():
            return True
        try:
            await serves(self.channel)
        except aio.AioRpcError as problem:
            # Any other error is said by somebody, or the reader hears of it as well.
            return problem.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        return self.unwanted.is_set()

    def wake(self) -> None:
        """Have what waits written."""
        self._awake.set()

    def retire(self) -> None:
        """Write nothing new; end when all that was written has its end."""
        self._is_retired = True
        self._awake.set()

    async def run(self, ended: Callable[[], None]) -> None:
        """Write what waits and hand on what is answered until the line has ended; then say so."""
        try:
            if self._call is None:
                await self._call_each(Calls(self.channel))
            else:
                await self._talk(self._call)
        finally:
            self._waiting.lost(self._number)
            self.unwanted.set()
            ended()
            await self.channel.close(CALLS_SECONDS_MAX)

    async def _talk(self, call: _Call) -> None:
        writing = asyncio.create_task(self._write(call))
        try:
            await self._read(call)
        except aio.AioRpcError as problem:
            # Without its details: they are the bank's words.
            logger.warning("the line to the bank broke", code=str(problem.code()))
        except Exception:
            logger.exception("the line to the bank broke")
        finally:
            writing.cancel()

    async def _read(self, call: _Call) -> None:
        while True:
            response = await call.read()
            if not isinstance(response, pb.LineResponse):
                return  # aio.EOF
            for answer in response.answers:
                self._waiting.answered(self._number, answer.number, told(answer))
            if response.closing:
                self.unwanted.set()
            if self._is_retired:
                self._awake.set()

    async def _write(self, call: _Call) -> None:
        try:
            while await self._has_more():
                operations = self._waiting.take(self._number, most=OPERATIONS_MAX)
                if operations:
                    await call.write(pb.LineRequest(operations=operations))
            await call.done_writing()
            await asyncio.sleep(END_SECONDS_MAX)
        except (grpc.RpcError, aio.UsageError, asyncio.InvalidStateError):
            pass  # the line has ended, of which the reader is told
        except Exception:
            logger.exception("nothing can be written to the bank")
        finally:
            call.cancel()  # what can't be written on is of no use

    async def _call_each(self, calls: Calls) -> None:
        async with asyncio.TaskGroup() as group:
            while await self._has_more():
                for operation in self._waiting.take(self._number, most=OPERATIONS_MAX):
                    group.create_task(self._call_one(calls, operation))

    async def _call_one(self, calls: Calls, operation: pb.Operation) -> None:
        answer = await calls.ask(operation, timeout_seconds=CALLS_SECONDS_MAX)
        self._waiting.answered(self._number, operation.number, answer)
        self._awake.set()

    async def _has_more(self) -> bool:
        """Wait for what is to be written; False if nothing is, nor waits for an answer any more."""
        while True:
            self._awake.clear()
            if self._is_retired:
                if self._waiting.is_idle(self._number):
                    return False
            elif self._waiting.has_unsent:
                # A pass of the event loop: who is about to ask joins.
                await asyncio.sleep(0)
                if not self._is_retired:
                    return True
                continue
            await self._awake.wait()
