"""Group commit: whatever is waiting goes together in one statement and one fsync.

There is no timer. A commit starts at once when none is under way; what arrives meanwhile goes in
the next. Idle, a change waits for nobody; under load its cost falls with the size of the group.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from services.payments.ports import Change, Commit

WriteGroup = Callable[[Sequence[Change]], Awaitable[Sequence[Commit]]]


class _Waiting(NamedTuple):
    change: Change
    future: asyncio.Future[Commit]
    until: float  # by the loop's clock


class GroupCommitter:
    """Folds concurrent changes into groups, written one after the other.

    Args:
        write: Writes a group; the results are in the group's order.
        is_poisoned: Tells of an error of `write` whether one change may have spoilt the group; its
            changes are then written one by one, and only the bad one fails.
        group_size_max: The largest group.
        wait_seconds_max: How long a change may wait for its turn. What has waited longer is not
            written: behind a database that hangs it would be for minutes, and the client be gone.
    """

    def __init__(
        self,
        write: WriteGroup,
        *,
        is_poisoned: Callable[[Exception], bool],
        group_size_max: int = 64,
        wait_seconds_max: float = math.inf,
    ) -> None:
        self._write = write
        self._is_poisoned = is_poisoned
        self._group_size_max = group_size_max
        self._wait_seconds_max = wait_seconds_max
        self._waiting: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    async def commit(self, change: Change) -> Commit:
        """Return what became of the change; whoever waits may be cancelled, the write goes on.

        Raises:
            TimeoutError: It had to wait too long, and was not written.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Commit] = loop.create_future()
        self._waiting.append(_Waiting(change, future, loop.time() + self._wait_seconds_max))
        if self._writer is None:
            self._writer = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                self._give_up()
                group = self._waiting[: self._group_size_max]
                del self._waiting[: self._group_size_max]
                if group:
                    await self._write_group(group)
        finally:
            self._writer = None

    def _give_up(self) -> None:
        """Drop what has waited too long; the oldest come first."""
        now, late = asyncio.get_running_loop().time(), 0
        for waiting in self._waiting:
            if waiting.until >= now:
                break
            late += 1
            if not waiting.future.done():
                waiting.future.set_exception(TimeoutError())
        del self._waiting[:late]

    async def _write_group(self, group: list[_Waiting]) -> None:
        try:
            results = await self._write([waiting.change for waiting in group])
        except Exception as problem:  # noqa: BLE001  # handed to those who wait
            if len(group) > 1 and self._is_poisoned(problem):
                for waiting in group:
                    await self._write_group([waiting])
                return
            for waiting in group:
                if not waiting.future.done():
                    waiting.future.set_exception(problem)
            return
        for waiting, result in zip(group, results, strict=True):
            if not waiting.future.done():
                waiting.future.set_result(result)
