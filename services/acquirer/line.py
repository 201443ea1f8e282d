"""The bank's end of the lines: reads operations, carries them out side by side, writes answers.

What is under way on one line is bounded, and so is what is on all together: whoever has more is not
read from until there is room. An operation goes on to its end when its line breaks.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import structlog
from google.protobuf.message import DecodeError

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from pkg.grpc.calls import Call, CallRecords
from pkg.grpc.guard import request_id_of
from pkg.grpc.refusals import internal
from services.acquirer.errors import InvalidRequestError
from services.acquirer.operations import Operations
from services.acquirer.refusals import DOMAIN, refusal_of

logger = structlog.get_logger()

OPERATIONS_MAX = 128  # in one message
_LINE = "/paygate.acquirer.v1.AcquirerService/Line"
_METHODS = {
    kind: f"/paygate.acquirer.v1.AcquirerService/{kind.capitalize()}"
    for kind in ("authorize", "capture", "void", "refund", "reverse", "inquire")
}


class MalformedError(Exception):
    """A message on a line could not be read. It says nothing of what it was."""


class Lines:
    """All lines to this bank.

    Args:
        operations: What can be asked for.
        records: Counts, logs and traces each operation as the call that it would be; None for no.
        operations_max: How many may be under way; half as many on one line. A message that was read
            may exceed it.
    """

    def __init__(
        self, operations: Operations, records: CallRecords | None = None, *, operations_max: int
    ) -> None:
        self._does: dict[str, Callable[[Any], Awaitable[pb.Outcome]]] = {
            kind: getattr(operations, kind) for kind in _METHODS
        }
        self._records = records
        self._most, self._most_of_one = operations_max, max(1, operations_max // 2)
        self._under_way = 0
        self._is_closing = False
        self._lines: set[_Line] = set()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._begun = 0

    def close(self) -> None:
        """Tell every caller, now and from now on, that the bank is about to end."""
        self._is_closing = True
        for line in self._lines:
            line.awake.set()

    async def drain(self) -> None:
        """Wait until every operation has ended, also those whose line is no more."""
        while self._tasks:
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def serve(
        self, requests: AsyncIterator[pb.LineRequest | None], address: str
    ) -> AsyncGenerator[pb.LineResponse]:
        """Answer what comes over a line, until its caller has closed their side.

        Args:
            requests: What comes.
            address: Where from.

        Raises:
            MalformedError: What came can't be read.
        """
        line = _Line(address)
        self._lines.add(line)
        reading = asyncio.create_task(self._read(line, requests))
        reading.add_done_callback(lambda _: line.awake.set())
        try:
            while True:
                answers, line.answers = line.answers, []
                is_told = self._is_closing  # which may change while it is written
                yield pb.LineResponse(answers=answers, closing=is_told)
                self._written(line, len(answers))
                while not line.answers and is_told is self._is_closing:
                    if reading.done() and (not line.under_way or reading.exception()):
                        reading.result()
                        return
                    line.awake.clear()
                    await line.awake.wait()
                # A pass of the event loop: what is about to be answered joins.
                await asyncio.sleep(0)
        finally:
            reading.cancel()
            self._lines.discard(line)
            self._gone(line)

    async def _read(self, line: "_Line", requests: AsyncIterator[pb.LineRequest | None]) -> None:
        try:
            async for request in requests:
                # grpcio hands on None for what it could not decode.
                if request is None or len(request.operations) > OPERATIONS_MAX:
                    raise MalformedError
                for operation in request.operations:
                    self._begin(line, operation)
                while line.under_way >= self._most_of_one or self._under_way >= self._most:
                    line.room.clear()
                    await line.room.wait()
        except DecodeError:
            raise MalformedError from None

    def _begin(self, line: "_Line", operation: pb.Operation) -> None:
        self._begun += 1
        self._under_way += 1
        line.under_way += 1
        line.running += 1
        work = self._carry_out(self._begun, line, operation)
        self._tasks[self._begun] = asyncio.create_task(work)

    async def _carry_out(self, number: int, line: "_Line", operation: pb.Operation) -> None:
        try:
            answer = await self._answer(operation, line.address)
            line.answers.append(answer)  # to those that are not written by now
        finally:
            del self._tasks[number]
            line.running -= 1
            if line.is_gone:
                self._written(line, 1)
            line.awake.set()

    def _written(self, line: "_Line", answers: int) -> None:
        """Note that so many answers take up nothing any more."""
        line.under_way -= answers
        was_full, self._under_way = self._under_way >= self._most, self._under_way - answers
        for one in self._lines if was_full else (line,):
            one.room.set()

    def _gone(self, line: "_Line") -> None:
        """Note that nothing can be written any more."""
        line.is_gone = True
        self._written(line, line.under_way - line.running)

    async def _answer(self, operation: pb.Operation, address: str) -> pb.Answer:
        kind = operation.WhichOneof("request") or ""
        metadata = {
            "x-request-id": [operation.request_id],
            "traceparent": [operation.traceparent],
        }
        method = _METHODS.get(kind, _LINE)
        call = Call(method, request_id_of(metadata), metadata, address=address, code="CANCELLED")
        began = time.perf_counter()
        if self._records:
            self._records.begin(call)
        try:
            does = self._does.get(kind, _nothing)
            outcome = await does(getattr(operation, kind, None))
            call.code = "OK"
            return pb.Answer(number=operation.number, outcome=outcome)
        except Exception as problem:
            refusal = refusal_of(problem)
            if refusal is None:
                logger.exception("unexpected error", method=method, request_id=call.request_id)
                refusal = internal(call.request_id)
            call.code, call.reason = refusal.code.name, refusal.reason
            return pb.Answer(number=operation.number, error=refusal.status(DOMAIN))
        finally:
            if self._records:
                self._records.end(call, time.perf_counter() - began)


class _Line:
    """A line.

    An operation is `under_way` until its answer is written; of those so many are still `running`.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.under_way = self.running = 0
        self.answers: list[pb.Answer] = []
        self.is_gone = False
        self.awake = asyncio.Event()  # there is something to write, or the line is at its end
        self.room = asyncio.Event()


async def _nothing(_: object) -> pb.Outcome:
    raise InvalidRequestError("request")
