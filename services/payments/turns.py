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
        # A line lives as long as somebody is in it.
        self._lines: WeakValueDictionary[str, _Line] = WeakValueDictionary()

    def of(self, payment_id: str, *, wait_seconds_max: float) -> "_Turn":
        """Wait for the turn; yield whether others were first, so that what is known may be old.

        A payment that has no id yet is nobody else's.

        Raises:
            ConcurrentUpdateError: It did not come in time.
        """
        if not payment_id:
            return _Turn(_Line(), wait_seconds_max)
        line = self._lines.get(payment_id)
        if line is None:
            line = self._lines[payment_id] = _Line()
        return _Turn(line, wait_seconds_max)


class _Line:
    """Those who have the turn or wait for it: a lock looks free until the next one wakes."""

    __slots__ = ("__weakref__", "length", "lock")

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.length = 0


class _Turn:
    def __init__(self, line: _Line, wait_seconds_max: float) -> None:
        self._line = line
        self._wait_seconds_max = wait_seconds_max

    async def __aenter__(self) -> bool:
        line = self._line
        line.length += 1
        if line.length == 1:
            await line.lock.acquire()  # at once: the timer would cost more than all the rest
            return False
        try:
            async with asyncio.timeout(self._wait_seconds_max):
                await line.lock.acquire()
        except TimeoutError as problem:
            line.length -= 1
            raise ConcurrentUpdateError from problem
        except BaseException:
            line.length -= 1
            raise
        return True

    async def __aexit__(self, *_: object) -> None:
        self._line.lock.release()
        self._line.length -= 1
