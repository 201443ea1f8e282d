"""Work that goes on when its caller goes away."""

import asyncio

import pytest

from pkg.grpc.running import Running


async def test_a_cancelled_caller_stops_no_work() -> None:
    """The work ends as it would have, and `drain` waits for it."""
    running, may_end, done = Running(), asyncio.Event(), list[str]()

    async def work() -> None:
        await may_end.wait()
        done.append("done")

    caller = asyncio.create_task(running.to_the_end(work()))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    draining = asyncio.create_task(running.drain())
    await asyncio.sleep(0)
    assert not draining.done()
    may_end.set()
    await draining
    assert done == ["done"]


async def test_the_caller_gets_result_and_error() -> None:
    """Whoever waits gets what the work returns or raises; a failure stops no draining."""
    running = Running()

    async def fail() -> None:
        raise ValueError("it failed")

    assert await running.to_the_end(asyncio.sleep(0, "result")) == "result"
    with pytest.raises(ValueError, match="it failed"):
        await running.to_the_end(fail())
    await running.drain()
