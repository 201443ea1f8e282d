"""Work that goes on when its caller goes away."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from pkg.grpc.guard import current_place

T = TypeVar("T")


class Running:
    """Runs work to its end even if the client cancels its call: it may have moved money already."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what the work returns; being cancelled stops the wait, and not the work.

        The call's place among those under way stays taken until then.
        """
        # Not asyncio.shield, which does the same and costs twice as much.
        loop = asyncio.get_running_loop()
        task, ended = loop.create_task(work), loop.create_future()
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, ended))
        try:
            await ended
        except asyncio.CancelledError:
            place = current_place()
            if place and not task.done():
                place.keep_for(task)
            raise
        return task.result()

    async def drain(self) -> None:
        """Wait until everything has ended whose caller may be gone."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ended(self, ended: "asyncio.Future[None]", task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not ended.done():
            ended.set_result(None)
        if not task.cancelled():
            task.exception()  # marks it as seen: whoever still waits has it, and nobody else need
