"""A fair share of a process for each merchant, whoever else reads how much."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from pkg.errors import RateLimitedError
from pkg.grpc.messages import Fields

AT_ONCE = 1
# How many rows are encoded in one go, a fifth of a millisecond: then others are served.
PIECE = 20

T = TypeVar("T")


class Shares:
    """Lets each merchant do a little at once; what is more waits, and what is much more is refused.

    For reads that cost more than a look at one row. They share one thread and one pool of
    connections: without turns, whoever asks for the most would have the most of both.

    Args:
        waiting_max: How many of a merchant's may wait.
        wait_seconds_max: How long one may wait.
        at_once: How many of a merchant's may be under way.
        refused: Told of every refusal.
    """

    def __init__(
        self,
        *,
        waiting_max: int,
        wait_seconds_max: float,
        at_once: int = AT_ONCE,
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._waiting_max = waiting_max
        self._at_once = at_once
        self._wait_seconds_max = wait_seconds_max
        self._refused = refused
        # A line lives as long as somebody stands in it.
        self._lines: WeakValueDictionary[str, _Line] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, merchant_id: str) -> AsyncIterator[None]:
        """Wait for the merchant's turn, first come, first served, and take it.

        Raises:
            RateLimitedError: Too many wait already, or the turn did not come in time.
        """
        line = self._lines.get(merchant_id)
        if line is None:
            line = self._lines[merchant_id] = _Line(self._at_once)
        if not await self._takes_place(line):
            self._refused()
            raise RateLimitedError(retry_after_seconds=1)
        try:
            yield
        finally:
            line.places.release()

    async def _takes_place(self, line: "_Line") -> bool:
        if not line.places.locked():
            return await line.places.acquire()  # at once: the timer would cost more
        if line.waiting >= self._waiting_max:
            return False
        line.waiting += 1
        try:
            async with asyncio.timeout(self._wait_seconds_max):
                return await line.places.acquire()
        except TimeoutError:
            return False
        finally:
            line.waiting -= 1


class _Line:
    """One merchant's places, and how many wait for one."""

    def __init__(self, places: int) -> None:
        self.places = asyncio.Semaphore(places)
        self.waiting = 0


class Messages(Protocol):
    """A repeated field of messages."""

    def add(self, **fields: Any) -> object:
        """Add a message with these fields."""


async def fill_in_pieces(
    messages: Messages, rows: Sequence[T], fields: Callable[[T], Fields]
) -> None:
    """Add a message for each of many rows, in place, and let others be served in between."""
    for start in range(0, len(rows), PIECE):
        if start:
            await asyncio.sleep(0)
        for row in rows[start : start + PIECE]:
            messages.add(**fields(row))
