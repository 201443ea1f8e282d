"""The line to the bank that breaks: per reference, once, for a while."""

from collections.abc import Callable
from time import monotonic

from services.acquirer.errors import UnreachableError


class Outages:
    """Which references cannot be talked about right now.

    Kept in memory only and bounded: an outage is a play for the caller, not a fact of the book.
    Forgotten (after a restart, or when very many came since), it is played once more, and ends
    as it did the first time.
    """

    def __init__(
        self,
        *,
        seconds: float,
        references_max: int = 10_000,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self._seconds = seconds
        self._references_max = references_max
        self._now = now
        self._ends: dict[str, float] = {}  # in the order in which they began

    def check(self, reference: str) -> None:
        """Do nothing, unless the reference's outage lasts.

        Raises:
            UnreachableError: It lasts.
        """
        if self._now() < self._ends.get(reference, 0.0):
            raise UnreachableError

    def strike(self, reference: str) -> None:
        """Begin the reference's outage; do nothing when it had one already.

        Raises:
            UnreachableError: It begins.
        """
        if reference in self._ends:
            return
        if len(self._ends) >= self._references_max:
            del self._ends[next(iter(self._ends))]
        self._ends[reference] = self._now() + self._seconds
        raise UnreachableError
