"""Connections to receivers are kept for a moment, and none for ever."""

import asyncio

from pkg.process.mode import Mode
from services.events.lines import Line, Lines
from services.events.target import Target, target_of
from tests.integration.events.raw_receiver import answering


async def opened(lines: Lines, target: Target) -> Line:
    """Open a connection."""
    deadline = asyncio.get_running_loop().time() + 5
    return await lines.open(target, deadline, owner="mer_a")


async def test_a_connection_is_kept_for_the_next_attempt() -> None:
    """It is taken once."""
    lines = Lines(Mode.SANDBOX, frozenset())
    async with answering(b"") as receiver:
        target = target_of(f"{receiver.base}/hooks", Mode.SANDBOX)
        line = await opened(lines, target)
        lines.keep(target, line)
        assert lines.take(target) is line
        assert lines.take(target) is None
        line.close()
    lines.close()


async def test_a_connection_that_is_in_use_all_the_time_ends_too() -> None:
    """However busy: what its name stands for may have changed, and is looked up for a new one."""
    lines = Lines(Mode.SANDBOX, frozenset(), age_seconds_max=0.2)
    loop = asyncio.get_running_loop()
    async with answering(b"") as receiver:
        target = target_of(f"{receiver.base}/hooks", Mode.SANDBOX)
        line = await opened(lines, target)
        began = loop.time()
        async with asyncio.timeout(5):
            while True:
                lines.keep(target, line)
                await asyncio.sleep(0)
                if lines.take(target) is None:
                    break
        assert 0.1 < loop.time() - began < 0.8  # less than one that is idle is kept for
        assert not line.is_open()
    lines.close()


async def test_a_connection_that_is_taken_again_and_again_stays() -> None:
    """Only being idle ends it early: the time that it may be kept for begins anew each time."""
    lines = Lines(Mode.SANDBOX, frozenset())
    loop = asyncio.get_running_loop()
    async with answering(b"") as receiver:
        target = target_of(f"{receiver.base}/hooks", Mode.SANDBOX)
        line = await opened(lines, target)
        began = loop.time()
        while loop.time() - began < 1.5:
            lines.keep(target, line)
            await asyncio.sleep(0.05)
            assert lines.take(target) is line
        line.close()
    lines.close()
