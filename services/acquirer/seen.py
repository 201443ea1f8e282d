"""What a merchant had the bank asked for, and what the bank made of it: for tests to look at.

Kept in memory only and bounded, of a merchant and in all: a restart of the bank forgets it.
"""

from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum, unique
from itertools import islice
from time import time_ns

from services.acquirer.errors import AcquirerError, UnreachableError
from services.acquirer.rules import Circumstances
from services.acquirer.simulator import Approved, Declined, NotFound, Outcome, Reversed


@unique
class Result(StrEnum):
    """What became of a request."""

    UNDER_WAY = "UNDER_WAY"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    REVERSED = "REVERSED"
    NOT_FOUND = "NOT_FOUND"
    REQUEST_LOST = "REQUEST_LOST"
    REPLY_LOST = "REPLY_LOST"
    UNAVAILABLE = "UNAVAILABLE"
    REFUSED = "REFUSED"


_RESULTS: dict[type[Outcome], Result] = {
    Approved: Result.APPROVED,
    Declined: Result.DECLINED,
    Reversed: Result.REVERSED,
    NotFound: Result.NOT_FOUND,
}


@dataclass(slots=True)
class Seen:
    """A request. Its number is when it came, in microseconds since 1970, or a little more."""

    number: int
    verb: str
    reference: str
    told: Circumstances
    minor_units: int = 0
    result: Result = Result.UNDER_WAY
    decline_code: str = ""
    rule_id: str = ""

    async def noting(self, work: Awaitable[Outcome]) -> Outcome:
        """Do what is asked for, and note what becomes of it."""
        try:
            outcome = await work
        except UnreachableError:
            if self.result is Result.UNDER_WAY:
                self.result = Result.UNAVAILABLE
            raise
        except AcquirerError:
            self.result = Result.REFUSED
            raise
        self.result = _RESULTS[type(outcome)]
        if isinstance(outcome, Declined):
            self.decline_code = outcome.code
        return outcome


class SeenLog:
    """The last requests of each merchant.

    Args:
        each_max: How many of a merchant.
        merchants_max: Of how many merchants: those that had none for the longest go first.
    """

    def __init__(
        self,
        *,
        each_max: int = 500,
        merchants_max: int = 200,
        now: Callable[[], int] = lambda: time_ns() // 1_000,
    ) -> None:
        self._each_max = each_max
        self._merchants_max = merchants_max
        self._now = now
        self._last = 0
        self._of: OrderedDict[str, deque[Seen]] = OrderedDict()

    def add(self, verb: str, reference: str, told: Circumstances, *, minor_units: int = 0) -> Seen:
        """Note that a request came, if it is known whose it is."""
        self._last = max(self._now(), self._last + 1)
        seen = Seen(self._last, verb, reference, told, minor_units)
        if told.merchant_id:
            self._log_of(told.merchant_id).append(seen)
        return seen

    def list(self, merchant_id: str, *, before: int, size: int) -> Sequence[Seen]:
        """Return a merchant's requests before a number, the last one first; 0 for all."""
        newest_first = reversed(self._of.get(merchant_id, ()))
        return list(islice((s for s in newest_first if not before or s.number < before), size))

    def forget(self, merchant_id: str) -> None:
        """Forget a merchant's requests."""
        self._of.pop(merchant_id, None)

    def _log_of(self, merchant_id: str) -> deque[Seen]:
        log = self._of.get(merchant_id)
        if log is None:
            log = self._of[merchant_id] = deque(maxlen=self._each_max)
            if len(self._of) > self._merchants_max:
                self._of.popitem(last=False)
        self._of.move_to_end(merchant_id)
        return log
