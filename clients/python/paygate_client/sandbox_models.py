"""What the sandbox says. Times are aware, in UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The sandbox's clock.

    Attributes:
        now: The time by which payments expire and retries are due.
        offset: How far it is ahead of the real time.
    """

    now: datetime
    offset: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What is still due after a drain.

    Attributes:
        drained: Whether nothing is.
        pending_actions: Actions whose answer from the bank is open.
        due_expiries: Payments that are past their time and have not expired yet.
        pending_events: Events that no relay has taken yet.
        due_deliveries: Deliveries that are due now.
    """

    drained: bool
    pending_actions: int
    due_expiries: int
    pending_events: int
    due_deliveries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TestCard:
    """A card of the simulated bank, with any expiry that is not past and any CVV.

    Attributes:
        number: Its number.
        description: What happens with it.
    """

    __test__ = False  # to pytest it is no test

    number: str
    description: str
