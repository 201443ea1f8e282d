"""What waits on the lines to the bank: every operation has one end, and the right one."""

from dataclasses import dataclass, field

import grpc
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from services.payments.adapters.bank_calls import Failure
from services.payments.adapters.bank_waiting import Answered, End, Late, Lost, NotSent, Waiting

CALL, LOOK = 2.8, 0.5
APPROVED = pb.Outcome(status=pb.Outcome.STATUS_APPROVED)


@dataclass
class Asked:
    """An operation as its asker knows it, and as the model does."""

    reference: str
    until: float
    written: tuple[int, int] | None = None  # the line, and the number on it
    ends: list[End] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        """Whether it has no end yet."""
        return not self.ends


class Lines(RuleBasedStateMachine):
    """Any order of asking, writing, answering, losing lines and passing time."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting = Waiting()
        self.now = 0.0
        self.asked: dict[str, Asked] = {}
        self.lines: list[int] = []
        self.opened = 0
        self.numbers: set[int] = set()
        self.look_at: float | None = None

    @initialize()
    def begin(self) -> None:
        """Nothing waits to begin with."""
        assert not self.waiting.has_unsent
        assert self.waiting.expire(0.0) is None

    @rule(timeout=st.sampled_from([CALL, LOOK]))
    def ask(self, timeout: float) -> None:
        """Somebody asks."""
        reference = f"act_{len(self.asked)}"
        operation = pb.Operation(inquire=pb.InquireRequest(reference=reference))
        one = self.asked[reference] = Asked(reference, self.now + timeout)
        until = self.waiting.add(operation, one.ends.append, timeout=timeout, now=self.now)
        assert until == one.until

    @rule()
    def open(self) -> None:
        """A line is opened."""
        self.opened += 1
        self.lines.append(self.opened)
        self.waiting.opened(self.opened)

    @rule(data=st.data(), most=st.integers(1, 3))
    def write(self, data: st.DataObject, most: int) -> None:
        """A line takes what came first; each under a number that there never was."""
        if not self.lines:
            return
        line = data.draw(st.sampled_from(self.lines))
        unsent = [one for one in self.asked.values() if one.waits and one.written is None]
        taken = self.waiting.take(line, most=most)
        assert [o.inquire.reference for o in taken] == [one.reference for one in unsent[:most]]
        for operation in taken:
            assert operation.number not in self.numbers
            self.numbers.add(operation.number)
            self.asked[operation.inquire.reference].written = (line, operation.number)

    @rule(data=st.data(), fails=st.booleans())
    def answer(self, data: st.DataObject, fails: bool) -> None:
        """The bank answers anything that was ever written; late answers change nothing."""
        written = [one for one in self.asked.values() if one.written is not None]
        if not written:
            return
        one = data.draw(st.sampled_from(written))
        assert one.written is not None
        answer = Failure(grpc.StatusCode.INTERNAL) if fails else APPROVED
        before = list(one.ends)
        self.waiting.answered(*one.written, answer)
        assert one.ends == (before or [Answered(answer)])

    @rule(line=st.integers(0, 3), number=st.integers(1_000_000, 1_000_001))
    def answer_nobody(self, line: int, number: int) -> None:
        """An answer that nobody has asked for changes nothing."""
        self.waiting.answered(line, number, APPROVED)

    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """A line breaks: what was written on it is lost, and nothing else is."""
        if not self.lines:
            return
        line = data.draw(st.sampled_from(self.lines))
        self.lines.remove(line)
        on_it = [
            one
            for one in self.asked.values()
            if one.waits and one.written and one.written[0] == line
        ]
        self.waiting.lost(line)
        assert [one.ends for one in on_it] == [[Lost()]] * len(on_it)

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 3.0]))
    def pass_time(self, seconds: float) -> None:
        """Time passes: what is over ends, and only that."""
        self.now += seconds
        over = [one for one in self.asked.values() if one.waits and one.until <= self.now]
        self.look_at = self.waiting.expire(self.now)
        for one in over:
            assert one.ends == [Late() if one.written else NotSent()]
        waits = [one.until for one in self.asked.values() if one.waits]
        assert (self.look_at is None) <= (not waits)
        if waits:
            assert self.look_at is not None
            assert self.now < self.look_at <= min(waits)

    @invariant()
    def each_has_one_end(self) -> None:
        """Nothing ends twice, and nothing is forgotten."""
        assert all(len(one.ends) <= 1 for one in self.asked.values())
        unsent = any(one.waits and one.written is None for one in self.asked.values())
        assert self.waiting.has_unsent is unsent
        for line in self.lines:
            open_ = any(
                one.waits and one.written and one.written[0] == line for one in self.asked.values()
            )
            assert self.waiting.is_idle(line) is not open_

    def teardown(self) -> None:
        """In the end whatever still waits is told."""
        left = [one for one in self.asked.values() if one.waits]
        self.waiting.close()
        for one in left:
            assert one.ends == [Lost() if one.written else NotSent()]


Lines.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLines = Lines.TestCase


def test_a_card_is_kept_no_longer_than_until_it_is_written() -> None:
    """What waits for its answer holds no message any more, nor does what has waited too long."""
    waiting = Waiting()
    waiting.opened(1)
    ends: list[End] = []
    for timeout in (CALL, LOOK):
        operation = pb.Operation(authorize=pb.AuthorizeRequest(pan="4242424242424242"))
        waiting.add(operation, ends.append, timeout=timeout, now=0.0)
    waiting.take(1, most=1)
    waiting.expire(LOOK)
    assert ends == [NotSent()]
    assert "4242" not in repr(waiting)
