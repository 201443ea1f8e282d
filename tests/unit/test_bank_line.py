"""The gateway's end of the line to the bank: what becomes of operations when lines come and go."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
import pytest
from grpc import aio
from grpc_health.v1.health_pb2_grpc import HealthServicer, add_HealthServicer_to_server

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from pkg.errors import DependencyUnavailableError
from pkg.grpc.guard import Context
from services.payments.adapters.bank import SERVICE
from services.payments.adapters.bank_calls import Failure
from services.payments.adapters.bank_line import GRACE_SECONDS, PAUSE_SECONDS_MAX, BankLine
from tests.servers import server_with
from tools.stack import ports

APPROVED = pb.Outcome(status=pb.Outcome.STATUS_APPROVED)
LOST = Failure(grpc.StatusCode.UNAVAILABLE)
LATE = Failure(grpc.StatusCode.DEADLINE_EXCEEDED)
NOT_SENT = Failure(grpc.StatusCode.UNAVAILABLE, is_sent=False)
SOON = 5.0  # on a busy machine


@dataclass(eq=False)
class Seen:
    """A line that a bank has, as the bank sees it."""

    answers: "asyncio.Queue[pb.LineResponse]" = field(default_factory=asyncio.Queue)
    messages: list[list[str]] = field(default_factory=list)
    is_over: bool = False


@dataclass
class Bank:
    """Approves at once, but for what is to be held: that it answers when it is told to."""

    lines: list[Seen] = field(default_factory=list)
    held: dict[str, tuple[Seen, int]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def serve(
        self, requests: AsyncIterator[pb.LineRequest], _context: Context
    ) -> AsyncIterator[pb.LineResponse]:
        """Answer what comes."""
        line = Seen()
        self.lines.append(line)
        reading = asyncio.create_task(self._read(line, requests))
        try:
            yield pb.LineResponse()
            while True:
                response = await line.answers.get()
                yield response
                if line.is_over and line.answers.empty():
                    return
        finally:
            reading.cancel()

    async def _read(self, line: Seen, requests: AsyncIterator[pb.LineRequest]) -> None:
        async for request in requests:
            answers = pb.LineResponse()
            line.messages.append([asked.inquire.reference for asked in request.operations])
            for asked in request.operations:
                reference = asked.inquire.reference
                self.asked.append(reference)
                if reference.startswith("held"):
                    self.held[reference] = (line, asked.number)
                else:
                    answers.answers.add(number=asked.number, outcome=APPROVED)
            await self._say(line, answers)
        line.is_over = True
        await self._say(line, pb.LineResponse())

    async def release(self, reference: str) -> None:
        """Answer what is held."""
        line, number = self.held.pop(reference)
        await self._say(line, pb.LineResponse(answers=[pb.Answer(number=number, outcome=APPROVED)]))

    async def close(self) -> None:
        """Say on the last line that it is to be replaced."""
        await self._say(self.lines[-1], pb.LineResponse(closing=True))

    async def has(self, reference: str) -> None:
        """Wait until it was asked that."""
        async with asyncio.timeout(SOON), self.changed:
            await self.changed.wait_for(lambda: reference in self.asked)

    async def _say(self, line: Seen, response: pb.LineResponse) -> None:
        line.answers.put_nowait(response)
        async with self.changed:
            self.changed.notify_all()


@asynccontextmanager
async def served(
    bank: Bank, port: int, health: HealthServicer | None = None
) -> AsyncIterator[aio.Server]:
    """Have a bank listen on a port; it says nothing of its health by default."""
    server = server_with()
    if health is not None:
        add_HealthServicer_to_server(health, server)
    line = grpc.stream_stream_rpc_method_handler(
        bank.serve, pb.LineRequest.FromString, pb.LineResponse.SerializeToString
    )
    server.add_registered_method_handlers(SERVICE, {"Line": line})
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    try:
        yield server
    finally:
        await server.stop(None)


def line_to(port: int, *, seconds: float = 60.0, first_seconds: float = 0.0) -> BankLine:
    """Return a line to whoever listens on that port."""
    options = (("grpc.use_local_subchannel_pool", 1),)
    return BankLine(
        lambda: aio.insecure_channel(f"127.0.0.1:{port}", options),
        line_seconds=seconds,
        first_seconds=first_seconds,
    )


async def ask(line: BankLine, reference: str, *, seconds: float = SOON) -> pb.Outcome | Failure:
    """Ask something."""
    operation = pb.Operation(inquire=pb.InquireRequest(reference=reference))
    return await line.ask(operation, timeout_seconds=seconds)


@pytest.fixture
def port() -> int:
    """A port that nobody listens on yet."""
    return ports.free(1)[0]


@pytest.fixture
def bank() -> Bank:
    """A bank that nobody has asked anything."""
    return Bank()


async def test_what_waits_goes_together(bank: Bank, port: int) -> None:
    """Whatever is asked before there is a line is written in one message, in its order."""
    async with line_to(port) as line:
        asked = [asyncio.create_task(ask(line, f"act_{number}")) for number in range(100)]
        await asyncio.sleep(0)
        async with served(bank, port):
            assert await asyncio.gather(*asked) == [APPROVED] * 100
            assert [len(message) for message in bank.lines[0].messages] == [100]
            assert bank.asked == [f"act_{number}" for number in range(100)]


async def test_a_bank_that_starts_a_little_later(bank: Bank, port: int) -> None:
    """Whoever starts waits for the first line, and not for ever: then the bank counts as away."""
    line = line_to(port, first_seconds=SOON)
    entering = asyncio.create_task(line.__aenter__())
    await asyncio.sleep(2.5)  # longer than a bank that was there may be missing
    assert not entering.done()
    async with served(bank, port), await entering:
        line.ensure_reachable()
        assert await ask(line, "act_0") == APPROVED
    began = time.monotonic()
    async with line_to(port, first_seconds=0.2):
        assert 0.2 <= time.monotonic() - began < SOON


async def test_a_slow_operation_holds_nobody_up(bank: Bank, port: int) -> None:
    """Answers come in any order."""
    async with served(bank, port), line_to(port) as line:
        slow = asyncio.create_task(ask(line, "held"))
        await bank.has("held")
        assert await asyncio.gather(*(ask(line, f"act_{n}") for n in range(50))) == [APPROVED] * 50
        assert not slow.done()
        await bank.release("held")
        assert await slow == APPROVED


async def test_an_answer_that_comes_too_late(bank: Bank, port: int) -> None:
    """Nobody knows what became of it, and its answer is nobody's."""
    async with served(bank, port), line_to(port) as line:
        await ask(line, "act_0")
        assert await ask(line, "held", seconds=0.1) == LATE
        await bank.release("held")
        assert await ask(line, "act_1") == APPROVED
        assert len(bank.lines) == 1


async def test_a_line_that_breaks(bank: Bank, port: int) -> None:
    """What was written may have been done; what was not is written on the next line, once."""
    async with line_to(port) as line:
        async with served(bank, port):
            written = asyncio.create_task(ask(line, "held"))
            await bank.has("held")
        assert await written == LOST
        unsent = asyncio.create_task(ask(line, "act_0"))
        another = Bank()
        async with served(another, port):
            assert await unsent == APPROVED
    assert another.asked == ["act_0"]


async def test_a_bank_that_is_about_to_end(bank: Bank, port: int) -> None:
    """What it has it still answers; what comes goes over another line."""
    async with served(bank, port), line_to(port) as line:
        held = asyncio.create_task(ask(line, "held"))
        await bank.has("held")
        await bank.close()
        async with asyncio.timeout(SOON):
            while len(bank.lines) < 2:
                assert await ask(line, "act") == APPROVED
        first, second = bank.lines
        assert await ask(line, "act_2") == APPROVED
        assert second.messages[-1] == ["act_2"]
        assert not first.is_over
        await bank.release("held")
        assert await held == APPROVED
        async with asyncio.timeout(SOON), bank.changed:
            await bank.changed.wait_for(lambda: first.is_over)


async def test_lines_are_replaced_by_their_age(bank: Bank, port: int) -> None:
    """Under load none of the operations is lost, late, or asked twice."""
    async with served(bank, port), line_to(port, seconds=0.02) as line:
        number = 0
        async with asyncio.timeout(4 * SOON):
            while len(bank.lines) < 10:
                references = [f"act_{number + one}" for one in range(20)]
                answers = await asyncio.gather(*(ask(line, one) for one in references))
                assert answers == [APPROVED] * 20
                number += 20
        assert sorted(bank.asked) == sorted({f"act_{one}" for one in range(number)})


async def test_a_bank_that_is_away(bank: Bank, port: int) -> None:
    """At first it is waited for; then nothing is begun; and soon after it is back all goes on."""
    began = time.monotonic()
    async with line_to(port) as line:
        line.ensure_reachable()
        assert await ask(line, "act_0", seconds=0.1) == NOT_SENT
        assert time.monotonic() - began >= 0.1
        async with asyncio.timeout(SOON):
            while is_reachable(line):
                await asyncio.sleep(0.01)
        assert time.monotonic() - began >= GRACE_SECONDS
        assert await ask(line, "act_1", seconds=60) == NOT_SENT
        assert not await line.serves()
        async with served(bank, port):
            back = time.monotonic()
            async with asyncio.timeout(SOON):
                while not is_reachable(line):
                    await asyncio.sleep(0.01)
            assert time.monotonic() - back <= PAUSE_SECONDS_MAX + 1.0
            assert await ask(line, "act_2") == APPROVED
        assert bank.asked == ["act_2"]


def is_reachable(line: BankLine) -> bool:
    """Tell whether the bank is not known to be away."""
    try:
        line.ensure_reachable()
    except DependencyUnavailableError:
        return False
    return True


async def test_nobody_waits_for_a_line_that_is_closed(port: int) -> None:
    """Whoever waits when the process ends is told that nothing was sent."""
    async with line_to(port) as line:
        waits = asyncio.create_task(ask(line, "act_0"))
        await asyncio.sleep(0)
    assert await waits == NOT_SENT
