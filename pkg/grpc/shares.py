"""A fair share of a process for each merchant, whoever else reads how much."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

from pkg.errors import RateLimitedError

AT_ONCE = 1
# How many rows are read or encoded in one go, a fifth of a millisecond: then others are served.
PIECE = 5

T = TypeVar("T")
Encoded = TypeVar("Encoded")


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


async def in_pieces(items: Sequence[T], encode: Callable[[T], Encoded]) -> list[Encoded]:
    """Encode many rows, and let others be served in between."""
    done: list[Encoded] = []
    for start in range(0, len(items), PIECE):
        if start:
            await asyncio.sleep(0)
        done += map(encode, items[start : start + PIECE])
    return done
