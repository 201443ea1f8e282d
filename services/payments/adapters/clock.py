"""The time, by each merchant's clock."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from services.payments.domain.payment import Payment

# Of whom a process remembers that their clocks were turned. Who is forgotten is read again.
TURNED_MAX = 10_000
ANOTHER = -1  # no clock is behind the real time


class _Turned:
    """A clock that was turned at some time."""

    __slots__ = ("ahead", "reading", "turned_time")

    def __init__(self, reading: list[int]) -> None:
        self.reading = reading
        self.ahead = timedelta(microseconds=reading[1])  # of the machine's time
        # When that last changed, by the clock itself: what was decided before was by another one.
        self.turned_time = datetime.now(UTC) + self.ahead


class SandboxClocks:
    """The machine's time, and how far merchants' clocks are ahead of it; none is in production.

    The store reads a merchant's clock with every payment that it loads, in the same snapshot: what
    is decided on a payment is decided by the clock as it was turned by then, in every process.
    """

    def __init__(self) -> None:
        self._turned: OrderedDict[str, _Turned] = OrderedDict()

    def observe(self, merchant_id: str, reading: Sequence[int] | None) -> bool:
        """Take over what the database says: how often it was turned, and how far, in microseconds.

        A reading that another has overtaken changes nothing. Return whether it told anything new.
        """
        if reading is None:
            return False
        known = self._turned.get(merchant_id)
        if known is not None and list(reading) <= known.reading:
            return False
        self._turned[merchant_id] = _Turned(list(reading))
        self._turned.move_to_end(merchant_id)
        if len(self._turned) > TURNED_MAX:
            self._turned.popitem(last=False)
        return True

    def now(self, merchant_id: str) -> datetime:
        """Return the time by the merchant's clock, aware, in UTC."""
        turned = self._turned.get(merchant_id)
        return datetime.now(UTC) if turned is None else datetime.now(UTC) + turned.ahead

    def decided(self, payment: Payment) -> int:
        """Return how many microseconds the clock was ahead by which a payment was begun.

        `ANOTHER` if it was begun by one that was turned since.
        """
        turned = self._turned.get(payment.merchant_id)
        if turned is None:
            return 0
        latest = self.now(payment.merchant_id)
        is_by_it = turned.turned_time <= payment.create_time <= latest
        return turned.reading[1] if is_by_it else ANOTHER
