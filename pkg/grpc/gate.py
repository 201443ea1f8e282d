"""Load shedding: a bound on what a process does at once, what is refused first, and whose it is."""

from collections.abc import Collection

from pkg.observe.health import HEALTH

# What begins something new gives way first, so that what was begun can be brought to an end. It
# is more than one merchant has (below), who would otherwise shut out others' new payments.
FIRST_SHARE = 0.875
# For every place that is free a merchant may have so many: alone three quarters of all, beside
# another who wants as much three sevenths. Somebody new always finds one, however many want all.
PLACES_PER_FREE = 3


class Gate:
    """Counts the calls under way, and says when there are too many. Health checks always pass.

    Args:
        calls_max: How many may be under way.
        first: Methods that are refused already when seven eighths of that are under way.
    """

    def __init__(self, calls_max: int, *, first: Collection[str] = ()) -> None:
        self._calls_max = calls_max
        self._first = frozenset(first)
        self._first_max = max(1, int(calls_max * FIRST_SHARE))
        self._calls = 0
        self._calls_of: dict[str, int] = {}  # only of callers that have some

    def enter(self, method: str) -> "Place | None":
        """Give a call that begins a place, until it leaves; or return None, and count nothing."""
        most = self._first_max if method in self._first else self._calls_max
        if self._calls >= most and not method.startswith(HEALTH):
            return None
        self._calls += 1
        return Place(self, most)

    def share(self, caller: str, most: int) -> bool:
        """Count a call that has a place as this caller's; False if they have their share.

        Args:
            caller: Whose it is.
            most: How many calls may be under way for one like it to begin.
        """
        has = self._calls_of.get(caller, 0)
        unused = max(1, most - self._calls + 1)  # with the one that the call has already
        if has >= PLACES_PER_FREE * unused:
            return False
        self._calls_of[caller] = has + 1
        return True

    def unshare(self, caller: str) -> None:
        """Count a call as this caller's no more."""
        has = self._calls_of[caller] - 1
        if has:
            self._calls_of[caller] = has
        else:
            del self._calls_of[caller]

    def end(self) -> None:
        """Count a call that has ended."""
        self._calls -= 1


class Place:
    """What a call takes up of a process, until its handler has ended."""

    __slots__ = ("_caller", "_gate", "_most")

    def __init__(self, gate: Gate, most: int) -> None:
        self._gate = gate
        self._most = most
        self._caller = ""

    def belongs_to(self, caller: str) -> bool:
        """Count as one of this caller's, and nobody else's; return False if they have their share.

        Args:
            caller: A merchant; or the API key that a call shows, until it is known whose it is.
        """
        if self._caller:
            self._gate.unshare(self._caller)
        self._caller = caller if self._gate.share(caller, self._most) else ""
        return bool(self._caller)

    def leave(self) -> None:
        """End the call."""
        self._gate.end()
        if self._caller:
            self._gate.unshare(self._caller)
