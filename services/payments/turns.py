"""Taking turns at a payment, within one process."""

import asyncio
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

    def of(self, payment_id: str, *, wait_seconds_max: float) -> "_Turn":
        """Wait for the turn; yield whether others were first, so that what is known may be old.

        A payment that has no id yet is nobody else's.

        Raises:
            ConcurrentUpdateError: It did not come in time.
        """
        if not payment_id:
            return _Turn(asyncio.Lock(), wait_seconds_max)
        lock = self._locks.get(payment_id)
        if lock is None:
            lock = self._locks[payment_id] = asyncio.Lock()
        return _Turn(lock, wait_seconds_max)


class _Turn:
    def __init__(self, lock: asyncio.Lock, wait_seconds_max: float) -> None:
        self._lock = lock
        self._wait_seconds_max = wait_seconds_max

    async def __aenter__(self) -> bool:
        waited = self._lock.locked()
        if not waited:
            await self._lock.acquire()  # at once: the timer would cost more than all the rest
            return False
        try:
            async with asyncio.timeout(self._wait_seconds_max):
                await self._lock.acquire()
        except TimeoutError as problem:
            raise ConcurrentUpdateError from problem
        return True

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
