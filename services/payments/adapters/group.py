"""Group commit: whatever is waiting goes together in one statement and one fsync.

There is no timer. A commit starts at once when none is under way; what arrives meanwhile goes in
the next. Idle, a change waits for nobody; under load its cost falls with the size of the group.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from services.payments.ports import Change, Commit

WriteGroup = Callable[[Sequence[Change]], Awaitable[Sequence[Commit]]]


class GroupCommitter:
    """Folds concurrent changes into groups, written one after the other.

    Args:
        write: Writes a group; the results are in the group's order.
        is_poisoned: Tells of an error of `write` whether one change may have spoilt the group; its
            changes are then written one by one, and only the bad one fails.
        group_size_max: The largest group.
    """

    def __init__(
        self,
        write: WriteGroup,
        *,
        is_poisoned: Callable[[Exception], bool],
        group_size_max: int = 64,
    ) -> None:
        self._write = write
        self._is_poisoned = is_poisoned
        self._group_size_max = group_size_max
        self._waiting: list[tuple[Change, asyncio.Future[Commit]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def commit(self, change: Change) -> Commit:
        """Return what became of the change; whoever waits may be cancelled, the write goes on."""
        future: asyncio.Future[Commit] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, future))
        if self._writer is None:
            self._writer = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                group = self._waiting[: self._group_size_max]
                del self._waiting[: self._group_size_max]
                await self._write_group(group)
        finally:
            self._writer = None

    async def _write_group(self, group: list[tuple[Change, asyncio.Future[Commit]]]) -> None:
        try:
            results = await self._write([change for change, _ in group])
        except Exception as problem:  # noqa: BLE001  # handed to those who wait
            if len(group) > 1 and self._is_poisoned(problem):
                for member in group:
                    await self._write_group([member])
                return
            for _, future in group:
                if not future.done():
                    future.set_exception(problem)
            return
        for (_, future), result in zip(group, results, strict=True):
            if not future.done():
                future.set_result(result)
