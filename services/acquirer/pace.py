"""How late replies come, where a rule says so."""

from collections import Counter
from collections.abc import Awaitable, Callable

AT_ONCE_MAX = 50  # of a merchant; more are not made to wait, so that there is room for others


class Pace:
    """Lets replies wait."""

    def __init__(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._sleep = sleep
        self._waiting: Counter[str] = Counter()

    async def wait(self, merchant_id: str, seconds: float) -> None:
        """Return so many seconds later."""
        if seconds <= 0 or self._waiting[merchant_id] >= AT_ONCE_MAX:
            return
        self._waiting[merchant_id] += 1
        try:
            await self._sleep(seconds)
        finally:
            self._waiting[merchant_id] -= 1
            if not self._waiting[merchant_id]:
                del self._waiting[merchant_id]
