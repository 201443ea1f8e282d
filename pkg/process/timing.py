"""How times relate to each other: what would break a relation does not start, in any mode.

Here are all of them. A time that follows from others is made of them; the others are compared. What
stands in envoy.yaml, in manifests and in other processes' settings is held by a test.
"""

import math
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Time:
    """A time, by the name that the operator knows it by."""

    name: str
    seconds: float

    def __rmul__(self, times: int) -> "Time":
        return Time(f"{times} * {self.name}", times * self.seconds)


# With an edge that waits for long: whoever is behind others for so long asks for too much.
TURN_SECONDS_MAX = 2.0
# Closing connections and pages, after everything has ended.
CLOSING = Time("closing", 1.0)


@dataclass(frozen=True, slots=True)
class Relation:
    """These times together are shorter than that one; why is said to whoever set them otherwise."""

    parts: tuple[Time, ...]
    limit: Time
    why: str

    @property
    def holds(self) -> bool:
        """Whether it is so."""
        return self.sum < self.limit.seconds

    @property
    def sum(self) -> float:
        """The times together, in seconds."""
        return sum(part.seconds for part in self.parts)

    def __str__(self) -> str:
        parts = " + ".join(part.name for part in self.parts)
        limit = f"{self.limit.name} ({self.limit.seconds:g} s)"
        return f"{parts} ({self.sum:g} s) must be less than {limit}: {self.why}"


def action_lease(*, database: Time, call: Time, inquiry: Time, edge: Time) -> timedelta:
    """Return when recovery may take up an action whose worker has not settled it.

    By then no worker waits for the bank any more, or recovery would reverse what is just being
    authorized: commit 1 is acknowledged, the call and the look after it are over, and what they
    said is written. Nor does a client, to whom the edge has said that it took too long.
    """
    worker = 2 * database.seconds + call.seconds + inquiry.seconds
    return timedelta(seconds=math.floor(max(worker, edge.seconds)) + 1)


def of_writes(*, vault: Time, call: Time, inquiry: Time, edge: Time) -> Relation:
    """A request waits for the vault and the bank for less long than the edge does."""
    why = "the edge would say 504 where the answer is that the payment is PENDING"
    return Relation((vault, call, inquiry), edge, why)


def turn(*, database: Time, edge: Time) -> Time:
    """Return how long a read waits for its merchant's turn: half of what its statement leaves it.

    The other half is for telling the caller, and for putting the reply together.
    """
    left = max(0.0, edge.seconds - 2 * database.seconds)
    return Time("the turn of a read", min(TURN_SECONDS_MAX, left / 2))


def of_reads(*, turn: Time, database: Time, edge: Time) -> Relation:
    """A look waits for its turn, a connection and its statement for less long than the edge."""
    why = "the edge would say 504 where the answer is that the database is away"
    return Relation((turn, 2 * database), edge, why)


def of_end(*parts: Time, grace: Time) -> Relation:
    """A process that is told to end has done so before it is killed."""
    return Relation((*parts, CLOSING), grace, "what is under way would be killed")
