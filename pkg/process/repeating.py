"""Work that a process does again and again until it is stopped."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog

from pkg.errors import DependencyUnavailableError

logger = structlog.get_logger()


async def repeat(
    work: Callable[[], Awaitable[bool]], stopped: asyncio.Event, *, seconds: float
) -> None:
    """Do work until stopped: at once while there is more of it, otherwise every so many seconds.

    The database may go away and come back.
    """
    while not stopped.is_set():
        try:
            more = await work()
        except DependencyUnavailableError:
            logger.warning("the database is not available")
            more = False
        if not more:
            await pause(stopped, seconds)


@asynccontextmanager
async def meanwhile(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do work while the block runs, and end it then."""
    working = asyncio.create_task(work)
    try:
        yield
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, but not longer than that."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
