"""Groups: whatever is waiting goes to the database together, in one statement and one fsync.

There is no timer. A group starts at once when none is under way; what arrives meanwhile goes in the
next. Idle, nobody waits for anybody; under load the cost of each falls with the size of the group.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, NamedTuple, TypeVar

from pkg.observe.tracing import Tracer

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Waiting(NamedTuple):
    item: Any
    future: "asyncio.Future[Any]"
    until: float  # by the loop's clock
    asked_by: object  # as the tracer knows it


def _all_alike(_: object) -> Hashable:
    return None


def _one(_: object) -> int:
    return 1


def _never(_: Exception) -> bool:
    return False


def _unheard(_size: int, _seconds: float) -> None:
    """Tell nobody."""


class GroupCommit(Generic[Item, Result]):
    """Folds what is asked for at the same time into groups, done one after the other.

    Args:
        do: Does a group, all of one kind; the results are in the group's order.
        kind: What goes together. The kind goes first of which something waits the longest.
        is_poisoned: Tells of an error of `do` whether one item may have spoilt the group; its items
            are then done one by one, and only the bad one fails.
        size_max: How many items a group may have at most.
        size: How much an item counts for, where groups and what waits are counted.
        wait_seconds_max: How long an item may wait for its turn. What has waited longer is not
            done: behind a database that hangs it would be for minutes, and the client be gone.
        done: Told the size of each group, and how many seconds it took.
        tracer: Records each group, as done for all that asked; None for nobody.
        name: Of a group, in traces.
    """

    def __init__(
        self,
        do: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        kind: Callable[[Item], Hashable] = _all_alike,
        is_poisoned: Callable[[Exception], bool] = _never,
        size_max: int = 64,
        size: Callable[[Item], int] = _one,
        wait_seconds_max: float = math.inf,
        done: Callable[[int, float], None] = _unheard,
        tracer: Tracer | None = None,
        name: str = "group",
    ) -> None:
        self._do = do
        self._kind = kind
        self._is_poisoned = is_poisoned
        self._size_max = size_max
        self._size = size
        self._wait_seconds_max = wait_seconds_max
        self._done = done
        self._tracer = tracer
        self._name = name
        self._waiting: dict[Hashable, deque[_Waiting]] = {}
        self._worker: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def waiting(self) -> int:
        """How much waits for its turn."""
        return sum(map(self._size_of, self._waiting.values()))

    async def result_of(self, item: Item) -> Result:
        """Return what became of the item; whoever waits may be cancelled, the group goes on.

        Raises:
            TimeoutError: It had to wait too long, and was not done.
        """
        loop = self._loop
        if loop is None:  # to ask for it each time costs a system call before Python 3.12
            loop = self._loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        asked_by = self._tracer.here() if self._tracer else None
        waiting = _Waiting(item, future, loop.time() + self._wait_seconds_max, asked_by)
        self._waiting.setdefault(self._kind(item), deque()).append(waiting)
        if self._worker is None:
            self._worker = loop.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        try:
            while True:
                # A pass of the event loop: who is about to ask joins. Idle, there is nobody.
                await asyncio.sleep(0)
                group = self._next()
                if not group:
                    return
                await self._do_group(group)
        finally:
            self._worker = None

    def _next(self) -> list[_Waiting]:
        """Take the next group out of those that wait; an empty one when nobody does."""
        self._give_up()
        if not self._waiting:
            return []
        kind = min(self._waiting, key=lambda kind: self._waiting[kind][0].until)
        queue = self._waiting[kind]
        group = [queue.popleft() for _ in range(min(len(queue), self._size_max))]
        if not queue:
            del self._waiting[kind]
        return group

    def _give_up(self) -> None:
        """Drop what has waited too long; the oldest come first."""
        now = asyncio.get_running_loop().time()
        for kind, queue in list(self._waiting.items()):
            while queue and queue[0].until < now:
                late = queue.popleft().future
                if not late.done():
                    late.set_exception(TimeoutError())
            if not queue:
                del self._waiting[kind]

    def _size_of(self, group: Iterable[_Waiting]) -> int:
        return sum(self._size(waiting.item) for waiting in group)

    def _span(self, group: list[_Waiting]) -> AbstractContextManager[object]:
        if not self._tracer:
            return nullcontext()
        serves = [waiting.asked_by for waiting in group]
        size = self._size_of(group)
        return self._tracer.span(self._name, attributes={"paygate.group": size}, serves=serves)

    async def _do_group(self, group: list[_Waiting]) -> None:
        began = time.perf_counter()
        try:
            with self._span(group):
                results = await self._do([waiting.item for waiting in group])
        except Exception as problem:  # noqa: BLE001  # handed to those who wait
            if len(group) > 1 and self._is_poisoned(problem):
                for waiting in group:
                    await self._do_group([waiting])
                return
            for waiting in group:
                if not waiting.future.done():
                    waiting.future.set_exception(problem)
            return
        seconds = time.perf_counter() - began
        for waiting, result in zip(group, results, strict=True):
            if not waiting.future.done():
                waiting.future.set_result(result)
        # Afterwards: what is done stays done, whatever counting does.
        self._done(self._size_of(group), seconds)
