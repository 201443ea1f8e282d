"""Taking turns at a payment, within one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from services.payments.domain.error import ConcurrentUpdateError


class Turns:
    """Lets one change of a payment at a time be decided and stored here, first come, first served.

    Not for safety: the store refuses a change that was decided on an old version, whoever made it.
    For speed: of many who decide at once all but one would have to decide again.
    """

    def __init__(self) -> None:
        # A lock lives as long as somebody holds it or waits for it.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, payment_id: str, *, wait_seconds_max: float) -> AsyncIterator[bool]:
        """Wait for the turn; yield whether others were first, so that what is known may be old.

        A payment that has no id yet is nobody else's.

        Raises:
            ConcurrentUpdateError: It did not come in time.
        """
        if not payment_id:
            yield False
            return
        lock = self._locks.get(payment_id)
        if lock is None:
            lock = self._locks[payment_id] = asyncio.Lock()
        waited = lock.locked()
        try:
            async with asyncio.timeout(wait_seconds_max):
                await lock.acquire()
        except TimeoutError as problem:
            raise ConcurrentUpdateError from problem
        try:
            yield waited
        finally:
            lock.release()
