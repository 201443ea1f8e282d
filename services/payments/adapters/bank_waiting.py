"""What waits on the lines to the bank: numbers, times and losses. No clock, no network.

An operation waits to be written, then for its answer, and has one end. Times are seconds of any
clock that only goes forward.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from services.payments.adapters.bank_calls import Failure


@dataclass(frozen=True, slots=True)
class Answered:
    """The bank has answered."""

    answer: pb.Outcome | Failure


@dataclass(frozen=True, slots=True)
class Late:
    """It was written, and no answer came in time."""


@dataclass(frozen=True, slots=True)
class Lost:
    """It was written, or partly written, on a line that broke."""


@dataclass(frozen=True, slots=True)
class NotSent:
    """It was never written: the bank can't know of it."""


# How an operation ends. All but the first say nothing of what the bank did, and the last says that
# it did nothing.
End = Answered | Late | Lost | NotSent
Tell = Callable[[End], None]


@dataclass(slots=True)
class _Waiting:
    tell: Tell
    until: float
    operation: pb.Operation | None  # until it is written: it may hold a card
    line: int = 0  # that it was written on, and under which number; both count from 1
    number: int = 0
    has_ended: bool = False

    def end(self, how: End) -> None:
        self.has_ended, self.operation = True, None
        self.tell(how)


@dataclass(slots=True)
class Waiting:
    """The operations of one caller on all of its lines, of which one takes what is new."""

    _number: int = 0
    _unsent: deque[_Waiting] = field(default_factory=deque)
    # Of each line that is open, by number.
    _written: dict[int, dict[int, _Waiting]] = field(default_factory=dict)
    # Of each timeout a queue of its own: whoever came first, whose time is over first.
    _by_timeout: dict[float, deque[_Waiting]] = field(default_factory=dict)

    def add(self, operation: pb.Operation, tell: Tell, *, timeout: float, now: float) -> float:
        """Take an operation that is to be written; return when its time is over.

        Args:
            operation: Gets its number when it is written.
            tell: Told of its end, once.
            timeout: How many seconds it may take, waiting for a line included; one of few.
            now: The time.
        """
        waiting = _Waiting(tell, now + timeout, operation)
        self._unsent.append(waiting)
        queue = self._by_timeout.setdefault(timeout, deque())
        _drop_ended(queue)
        queue.append(waiting)
        return waiting.until

    def opened(self, line: int) -> None:
        """Note that a line is open."""
        self._written[line] = {}

    @property
    def has_unsent(self) -> bool:
        """Whether anything waits to be written."""
        _drop_ended(self._unsent)
        return bool(self._unsent)

    def take(self, line: int, *, most: int) -> list[pb.Operation]:
        """Return what is to be written on a line now, in the order in which it came."""
        taken: list[pb.Operation] = []
        written = self._written[line]
        while self._unsent and len(taken) < most:
            waiting = self._unsent.popleft()
            operation, waiting.operation = waiting.operation, None
            if operation is None:
                continue  # its time is over
            self._number += 1
            operation.number = self._number
            waiting.line, waiting.number = line, self._number
            written[self._number] = waiting
            taken.append(operation)
        return taken

    def answered(self, line: int, number: int, answer: pb.Outcome | Failure) -> None:
        """End what is answered. An answer that nobody waits for any more is dropped."""
        waiting = self._written.get(line, {}).pop(number, None)
        if waiting is not None:
            waiting.end(Answered(answer))

    def is_idle(self, line: int) -> bool:
        """Tell whether nobody waits for an answer on the line."""
        return not self._written.get(line)

    def lost(self, line: int) -> None:
        """End what was written on a line that is no more; what was not waits for another."""
        for waiting in self._written.pop(line, {}).values():
            waiting.end(Lost())

    def expire(self, now: float) -> float | None:
        """End what has waited too long; return when to look again, None while nothing waits."""
        soonest: float | None = None
        for queue in self._by_timeout.values():
            while queue and (queue[0].has_ended or queue[0].until <= now):
                self._give_up(queue.popleft())
            if queue and (soonest is None or queue[0].until < soonest):
                soonest = queue[0].until
        _drop_ended(self._unsent)
        return soonest

    def close(self) -> None:
        """End everything: there will be no more lines."""
        for line in list(self._written):
            self.lost(line)
        for waiting in self._unsent:
            if not waiting.has_ended:
                waiting.end(NotSent())
        self._unsent.clear()

    def _give_up(self, waiting: _Waiting) -> None:
        if waiting.has_ended:
            return
        if not waiting.line:
            waiting.end(NotSent())
            return
        del self._written[waiting.line][waiting.number]
        waiting.end(Late())


def _drop_ended(queue: deque[_Waiting]) -> None:
    while queue and queue[0].has_ended:
        queue.popleft()
