"""Load shedding: a bound on what a process does at once, and what is refused first."""

from collections.abc import Callable, Collection

# What begins something new gives way first, so that what was begun can be brought to an end.
FIRST_SHARE = 0.75
_HEALTH = "/grpc.health.v1.Health/"


def _nothing() -> int:
    return 0


class Gate:
    """Counts the calls under way, and says when there are too many. Health checks always pass.

    Args:
        calls_max: How many may be under way.
        first: Methods that are refused already when three quarters of that are under way.
        left_behind: Tells how much work goes on whose caller is gone; it counts as calls do.
    """

    def __init__(
        self,
        calls_max: int,
        *,
        first: Collection[str] = (),
        left_behind: Callable[[], int] = _nothing,
    ) -> None:
        self._calls_max = calls_max
        self._first = frozenset(first)
        self._first_max = max(1, int(calls_max * FIRST_SHARE))
        self._left_behind = left_behind
        self._calls = 0

    def enter(self, method: str) -> bool:
        """Count a call that begins, until `leave`; or return False, and count nothing."""
        if not method.startswith(_HEALTH):
            most = self._first_max if method in self._first else self._calls_max
            if self._calls + self._left_behind() >= most:
                return False
        self._calls += 1
        return True

    def leave(self) -> None:
        """Count a call that has ended."""
        self._calls -= 1
