"""The time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

_EARLIEST, _LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class SandboxClock:
    """The machine's time, and how far the sandbox is ahead of it; in production that is nothing.

    The store reads it with every payment that it loads, in the same snapshot: what is decided on a
    payment is decided by the clock as it was turned by then, in every process.
    """

    def __init__(self) -> None:
        self.reading = [0, 0]
        self.ahead = timedelta(0)  # of the machine's time
        # When that last changed, by the clock itself: what was decided before was by another one.
        self.turned_time = _EARLIEST

    def observe(self, reading: Sequence[int] | None) -> None:
        """Take over what the database says: how often it was turned, and how far, in microseconds.

        A reading that another has overtaken changes nothing.
        """
        # Compared by both: versions before this one turn it without counting.
        if reading is not None and list(reading) > self.reading:
            self.reading = list(reading)
            self.ahead = timedelta(microseconds=self.reading[1])
            self.turned_time = self.now()

    @property
    def latest_time(self) -> datetime:
        """What was decided later than this was by another clock, that was put back since."""
        return self.now() if self.turned_time > _EARLIEST else _LATEST

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC) + self.ahead
