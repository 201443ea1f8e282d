"""Waiting until nothing is due for a merchant any more, by any number of callers at once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.payments.waiting import Places

POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is still to be done for a merchant."""

    pending_actions: int
    due_expiries: int
    pending_events: int
    due_deliveries: int

    def __bool__(self) -> bool:
        return any(
            (self.pending_actions, self.due_expiries, self.pending_events, self.due_deliveries)
        )


class Drains:
    """Waits for other processes to do the work. Those who wait for one merchant look together.

    What is past its time is expired from here, by one at a time: the sweep looks for it four times
    a second only, and a test is half done by then.

    Args:
        look: Returns what is due for a merchant.
        expire: Expires some of what is past its time, whoever's it is.
    """

    def __init__(
        self, look: Callable[[str], Awaitable[Due]], expire: Callable[[], Awaitable[object]]
    ) -> None:
        self._look = look
        self._expire = expire
        self._is_expiring = False
        self._places = Places()
        self._looks: dict[str, asyncio.Task[Due]] = {}

    async def wait(self, merchant_id: str, *, seconds: float) -> Due:
        """Return what is due when nothing is, or when the time is over.

        Raises:
            RateLimitedError: Too many wait already.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        with self._places.one_of(merchant_id):
            due = await self._look(merchant_id)
            while due and loop.time() < end:
                due = await asyncio.shield(self._next_look(merchant_id, due))
        return due

    def _next_look(self, merchant_id: str, due: Due) -> asyncio.Task[Due]:
        """Return the look that begins next: one under way may have missed what this caller did."""
        task = self._looks.get(merchant_id)
        if task is None:
            task = self._looks[merchant_id] = asyncio.create_task(
                self._look_later(merchant_id, due)
            )
            task.add_done_callback(_seen)
        return task

    async def _look_later(self, merchant_id: str, due: Due) -> Due:
        try:
            if due.due_expiries and not self._is_expiring:
                await self._expire_some()
            await asyncio.sleep(POLL_SECONDS)
        finally:
            del self._looks[merchant_id]
        return await self._look(merchant_id)

    async def _expire_some(self) -> None:
        self._is_expiring = True
        try:
            await self._expire()
        finally:
            self._is_expiring = False


def _seen(task: asyncio.Task[Due]) -> None:
    if not task.cancelled():
        task.exception()  # whoever waited may be gone, and then nobody has looked at it
