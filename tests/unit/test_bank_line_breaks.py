"""Lines to the bank that break as soon as they are open, or while they are looked at."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import chain, repeat
from typing import Any

import pytest
import uvloop
from grpc import aio
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthServicer

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from pkg.errors import DependencyUnavailableError
from pkg.grpc.guard import Context
from services.payments.adapters.bank_calls import Failure
from services.payments.adapters.bank_line import GRACE_SECONDS, STEADY_SECONDS, BankLine
from tests.unit.test_bank_line import APPROVED, SOON, Bank, ask, is_reachable, line_to, served
from tools.stack import ports


class Fleeting(Bank):
    """Opens lines, and none lasts."""

    lasts = False

    async def serve(
        self, requests: AsyncIterator[pb.LineRequest], context: Context
    ) -> AsyncIterator[pb.LineResponse]:
        """End a line that was just opened."""
        async for response in super().serve(requests, context):
            yield response
            if not self.lasts:
                return


async def test_lines_that_do_not_last() -> None:
    """Are opened no more often than lines that are refused; and a bank with no others is away."""
    bank, port = Fleeting(), ports.free(1)[0]
    async with served(bank, port), line_to(port) as line:
        async with asyncio.timeout(2 * SOON):
            while is_reachable(line):
                await asyncio.sleep(0.01)
        assert 1 < len(bank.lines) < 20
        bank.lasts = True
        async with asyncio.timeout(SOON):
            while await ask(line, "act") != APPROVED:
                await asyncio.sleep(0.01)
        assert is_reachable(line)


async def test_the_time_of_a_short_line_counts_for_the_bank() -> None:
    """Banks that replace each other quickly are not away, however long the first took to come."""
    port = ports.free(1)[0]
    async with line_to(port) as line:
        line._none_since -= 0.75 * GRACE_SECONDS  # so long there was none
        async with served(Bank(), port):
            async with asyncio.timeout(SOON):
                while not has_line(line):
                    await asyncio.sleep(0.01)
            short = 0.5 * GRACE_SECONDS - 0.1
            assert short < STEADY_SECONDS
            line._none_since -= short  # so long it has been open
            line._some_since -= short
        async with asyncio.timeout(SOON):
            while has_line(line):
                await asyncio.sleep(0.01)
        assert is_reachable(line)


async def test_an_end_that_a_failing_call_swallows(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bank goes just when the process ends: grpc.aio tells of the one and forgets the other."""
    dialled = asyncio.Event()

    async def opened(_: BankLine) -> None:
        dialled.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    monkeypatch.setattr(BankLine, "_opened", opened)
    async with asyncio.timeout(SOON), line_to(ports.free(1)[0]):
        await dialled.wait()


class Slow(HealthServicer):
    """Says that it serves: the first time at once, then when it may."""

    def __init__(self) -> None:
        self.times = 0
        self.asked_again, self.may_answer = asyncio.Event(), asyncio.Event()

    async def Check(  # noqa: N802  # the proto's
        self, _request: HealthCheckRequest, _context: Context
    ) -> HealthCheckResponse:
        """Answer."""
        self.times += 1
        if self.times > 1:  # that was about its age, this is because there is no other line
            self.asked_again.set()
            await self.may_answer.wait()
        return HealthCheckResponse(status=HealthCheckResponse.SERVING)


async def test_a_line_that_ends_while_it_is_looked_at() -> None:
    """It was old, and there was no other; there is one when the bank has one again."""
    bank, health, (port, nobodys) = Bank(), Slow(), ports.free(2)
    which: Iterator[int] = chain((port, nobodys), repeat(port))

    def connect() -> aio.Channel:
        options = (("grpc.use_local_subchannel_pool", 1),)
        return aio.insecure_channel(f"127.0.0.1:{next(which)}", options)

    async with served(bank, port, health), BankLine(connect, line_seconds=0.02) as line:
        assert await ask(line, "act_0") == APPROVED
        await asyncio.wait_for(health.asked_again.wait(), SOON)
        bank.lines[0].is_over = True
        bank.lines[0].answers.put_nowait(pb.LineResponse())
        async with asyncio.timeout(SOON):
            while has_line(line):
                await asyncio.sleep(0.001)
        health.may_answer.set()
        assert await ask(line, "act_1") == APPROVED


@pytest.mark.parametrize("fault", [RuntimeError, asyncio.CancelledError])
async def test_a_fault_of_ours_while_a_line_is_looked_at(fault: type[BaseException]) -> None:
    """There is another line all the same: nobody but this task would open one."""
    bank, port = Bank(), ports.free(1)[0]
    faults = [fault()]

    def connect() -> aio.Channel:
        channel = aio.insecure_channel(
            f"127.0.0.1:{port}", (("grpc.use_local_subchannel_pool", 1),)
        )
        whole = channel.unary_unary

        def failing(method: str, *told: Any, **more: Any) -> Any:
            if "Health" in method and faults:
                raise faults.pop()
            return whole(method, *told, **more)

        channel.unary_unary = failing  # type: ignore[method-assign]
        return channel

    async with served(bank, port), BankLine(connect, line_seconds=0.02) as line:
        async with asyncio.timeout(SOON):
            while len(bank.lines) < 3:
                await asyncio.sleep(0.001)
        assert not faults
        assert await ask(line, "act") == APPROVED


def test_time_that_is_over_at_once_is_over_on_uvloop_too() -> None:
    """Its handle of what is due at once does not say when that is; services run on uvloop."""

    async def asked() -> list[pb.Outcome | Failure]:
        def connect() -> aio.Channel:
            return aio.insecure_channel(f"127.0.0.1:{ports.free(1)[0]}")

        async with BankLine(connect, first_seconds=0) as line:
            operation = pb.Operation(capture=pb.CaptureRequest(reference="act"))
            return await asyncio.gather(*(line.ask(operation, timeout_seconds=0) for _ in range(2)))

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert all(isinstance(one, Failure) for one in runner.run(asked()))


def has_line(line: BankLine) -> bool:
    """Tell whether there is a line now."""
    try:
        return line.channel is not None
    except DependencyUnavailableError:
        return False
