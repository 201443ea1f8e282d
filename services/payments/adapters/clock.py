"""The time."""

from datetime import UTC, datetime, timedelta


class SandboxClock:
    """The machine's time, and how far the sandbox is ahead of it; in production that is nothing.

    The store reads how far with every payment that it loads, in the same snapshot: what is decided
    on a payment is decided by the clock as it was turned by then, in every process.
    """

    def __init__(self) -> None:
        self.ahead = timedelta(0)
        # When that last changed, by the clock itself: what was decided before was by another one.
        self.turned_time = datetime.min.replace(tzinfo=UTC)

    def observe(self, ahead: timedelta | None) -> None:
        """Take over what the database says; the clock never goes back."""
        if ahead is not None and ahead > self.ahead:
            self.ahead = ahead
            self.turned_time = self.now()

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC) + self.ahead
