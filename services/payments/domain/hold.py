"""The state of what an authorization holds and no capture has taken."""

from enum import StrEnum


class Hold(StrEnum):
    """One of these at a time, so that no two ways to end a hold can be under way together.

    Clocks of different hosts differ: a hold that is EXPIRING is past its time for everybody,
    whatever their own clock says.
    """

    OPEN = "OPEN"  # it can be captured while its time lasts
    CLOSING = "CLOSING"  # a final capture is under way
    RELEASING = "RELEASING"  # a void of what no capture has taken is under way
    CLOSED = "CLOSED"  # released after a capture; what was captured stays
    VOIDING = "VOIDING"
    VOIDED = "VOIDED"
    EXPIRING = "EXPIRING"
    EXPIRED = "EXPIRED"  # nothing was captured
