"""Random histories against a small model of the money.

Each verb, and expiry, is decided by a clock of its own, up to 2 s off the true one, as on another
host. Answers come in any order, or never. One may come twice, from the worker and from recovery,
and differ; an authorization without one is reversed.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.payments.domain import errors
from services.payments.domain.action import Action, ActionType
from services.payments.domain.hold import Hold
from services.payments.domain.outcome import Approved, DeclineCode, Declined, Final, Rejected
from services.payments.domain.payment import Payment
from services.payments.domain.settle import settle, settle_expiry, settle_reversal
from services.payments.domain.status import Authorization, Status
from services.payments.domain.views import view_of
from tests.builders import LIFETIME, NOW, begun, capture, gbp, refund, void, void_remainder

END = NOW + LIFETIME
AUTHORIZATIONS: dict[Final, Status] = {
    Approved(): Status.AUTHORIZED,
    Declined(DeclineCode.CARD_DECLINED): Status.DECLINED,
    Rejected(): Status.FAILED,
}


@dataclass
class Model:
    """What a payment of 100 may do, in the plainest words."""

    authorization: Status = Status.PENDING
    captured: int = 0
    refunded: int = 0
    over: bool = False  # the rest is released after a capture: nothing more can be captured
    voided: bool = False
    expired: bool = False
    open: list[tuple[str, int, bool]] = field(default_factory=lambda: [("authorize", 100, False)])

    def total(self, verb: str) -> int:
        """Return what is under way of one verb."""
        return sum(amount for name, amount, _ in self.open if name == verb)

    def may(self, verb: str, amount: int, *, late: bool) -> bool:
        """Tell whether a verb may begin, by a clock that says whether it is late."""
        verbs = {name for name, _, _ in self.open}
        if verb == "reverse":
            return "authorize" in verbs and "reverse" not in verbs
        if self.authorization is not Status.AUTHORIZED:
            return False
        if self.voided or self.expired or verbs & {"void", "release"}:
            return False
        gone = late or "expire" in verbs  # what one clock has decided holds for all
        final = any(last for _, _, last in self.open)
        closed = self.over or self.refunded > 0
        rules = {
            "capture": not (closed or "refund" in verbs or final or gone)
            and amount <= 100 - self.captured - self.total("capture"),
            "void": not (self.captured or self.refunded or verbs or gone),
            "release": self.captured > 0 and not (closed or verbs or gone or self.captured == 100),
            "expire": late and not (verbs or closed or self.captured == 100),
            "refund": self.captured > 0
            and "capture" not in verbs
            and amount <= self.captured - self.refunded - self.total("refund"),
        }
        return rules[verb]

    def end(self, place: int, answer: Final) -> None:
        """Apply the bank's answer to what is under way."""
        verb, amount, final = self.open.pop(place)
        if verb == "reverse":
            self.open, self.authorization = [], Status.FAILED
        elif verb == "authorize":
            self.authorization = AUTHORIZATIONS[answer]
        elif verb == "expire":
            self.over, self.expired = self.captured > 0, self.captured == 0
        elif answer == Approved():
            self.captured += amount if verb == "capture" else 0
            self.refunded += amount if verb == "refund" else 0
            self.voided = verb == "void"
            self.over = self.over or final or verb in {"refund", "release"}

    def status(self) -> Status:
        """Return where the payment stands."""
        if self.authorization is not Status.AUTHORIZED:
            return self.authorization
        if self.voided or self.expired:
            return Status.VOIDED if self.voided else Status.EXPIRED
        if self.refunded:
            all_back = self.refunded == self.captured
            return Status.REFUNDED if all_back else Status.PARTIALLY_REFUNDED
        if not self.captured:
            return Status.AUTHORIZED
        return Status.CAPTURED if self.over or self.captured == 100 else Status.PARTIALLY_CAPTURED


@dataclass(frozen=True)
class Step:
    """What happens next: a verb begins, an answer comes (and another one), or time passes."""

    verb: str
    amount: int
    final: bool
    skew: int  # ms that the clock is off by which the verb is decided
    place: int  # which of what is under way is answered
    first: Final
    second: Final


# As often as makes histories in which much happens.
_VERBS = (
    ["answer"] * 5
    + ["capture"] * 3
    + ["refund"] * 2
    + ["void", "release", "expire", "wait", "reverse"]
)
_ANSWERS: list[Final] = [Approved(), Approved(), Approved(), *AUTHORIZATIONS]


def history_of(seed: int) -> list[Step]:
    """Return the steps that a seed stands for: long ones, as Hypothesis makes few by itself."""
    chance = Random(seed)
    return [
        Step(
            verb=chance.choice(_VERBS),
            amount=chance.choice([1, 30, 70, 100, 101]),
            final=chance.random() < 0.3,
            skew=chance.randint(-2_000, 2_000),
            place=chance.randint(0, 2),
            first=chance.choice(_ANSWERS),
            second=chance.choice(_ANSWERS),
        )
        for _ in range(40)
    ]


def not_begun(payment: Payment) -> object:
    """Return what `begin.sql` does not write, so that no beginning may change it."""
    holds = [payment.hold is hold for hold in (Hold.CLOSED, Hold.VOIDED, Hold.EXPIRED)]
    return (
        (payment.status, payment.authorization, payment.decline, payment.expire_time),
        (payment.authorized, payment.captured, payment.refunded, holds),
    )


def not_ended(action: Action, payment: Payment) -> object:
    """Return what the statement that ends such an action does not write."""
    kept = (payment.last_sequence, payment.reversing, payment.expire_time, payment.authorized)
    match action.type:
        case ActionType.AUTHORIZE:
            sums = (payment.captured, payment.refunded, payment.capturing, payment.refunding)
            return kept, sums, payment.hold
        case ActionType.CAPTURE | ActionType.REFUND | ActionType.VOID:
            holds = [payment.hold is hold for hold in (Hold.EXPIRING, Hold.EXPIRED)]
            return kept, payment.authorization, payment.decline, holds
        case _:
            return None  # `settle.sql` writes everything


@dataclass
class History:
    """A payment beside its model, and what is under way at the bank."""

    seconds: int  # since the authorization's end, by the true clock
    model: Model = field(default_factory=Model)
    payment: Payment = field(init=False)
    running: list[Action] = field(init=False)

    def __post_init__(self) -> None:
        """Begin the authorization."""
        self.payment, authorization = begun(100)
        self.running = [authorization]

    def begin(self, step: Step) -> None:
        """Begin a verb by a clock that is off, if it may begin."""
        now = END + timedelta(seconds=self.seconds, milliseconds=step.skew)
        may = self.model.may(step.verb, step.amount, late=now >= END)
        try:
            begun = self._begun(step, now)
        except errors.PaymentsError:
            begun = None
        assert (begun is not None) is may, (step, now - END)
        if begun:
            event(step.verb)
            before = self.payment
            self.payment, action = begun
            assert not_begun(self.payment) == not_begun(before)
            self.running.append(action)
            self.model.open.append((step.verb, step.amount, step.verb == "capture" and step.final))

    def _begun(self, step: Step, now: datetime) -> tuple[Payment, Action] | None:
        payment = self.payment
        match step.verb:
            case "capture":
                return capture(payment, step.amount, final=step.final, now=now)
            case "refund":
                return refund(payment, step.amount, now=now)
            case "void":
                return void(payment, now=now)
            case "release":
                return void_remainder(payment, now=now)
            case "reverse":  # recovery does so to what the bank does not know
                in_doubt = payment.authorization is Authorization.PENDING and not payment.reversing
                return payment.reverse(action_id="act_r", now=now) if in_doubt else None
            case _:
                return payment.expire(action_id="act_e", now=now)

    def answer(self, place: int, first: Final, second: Final) -> None:
        """Let an answer come, and another one for the same action: only the first one counts."""
        action = self.running[place]
        result = self._settled(action, first)
        if action.type is ActionType.AUTHORIZE and self.payment.reversing:
            assert result is None  # it comes too late: the reversal settles it
            return
        assert result is not None
        before = self.payment
        self.payment, ended = result
        assert not_ended(action, self.payment) == not_ended(action, before)
        assert self._settled(ended, second) is None
        self.model.end(place, first)
        self.running.pop(place)
        if action.type is ActionType.REVERSE:
            self.running = []

    def _settled(self, action: Action, answer: Final) -> tuple[Payment, Action] | None:
        match action.type:
            case ActionType.EXPIRE:
                return settle_expiry(self.payment, action, END)
            case ActionType.REVERSE:
                result = settle_reversal(self.payment, action, self.running[0], END)
                return None if result is None else result[:2]
            case _:
                return settle(self.payment, action, answer, END)

    def check(self) -> None:
        """The payment is what the model says, and the sums hold."""
        payment, model = self.payment, self.model
        assert (payment.captured, payment.refunded) == (gbp(model.captured), gbp(model.refunded))
        assert 0 <= model.refunded <= model.captured <= 100
        assert (payment.captured + payment.capturing).minor_units <= 100
        assert (payment.refunded + payment.refunding).minor_units <= payment.captured.minor_units
        assert payment.status is model.status()
        view, late = view_of(payment), self.seconds >= 0
        available = view.capturable(END + timedelta(seconds=self.seconds))
        assert available == 0 or model.may("capture", available, late=late)
        assert not model.may("capture", available + 1, late=late)
        assert (view.status, view.refundable) == (payment.status, payment.refundable.minor_units)
        if payment.status in {Status.VOIDED, Status.EXPIRED, Status.FAILED, Status.DECLINED}:
            assert self.running == []
            assert payment.captured == gbp(0)


@settings(max_examples=1_000)
@given(st.integers(0, 2**64 - 1), st.integers(-3, 2), st.sampled_from([True, True, True, False]))
def test_a_payment_agrees_with_the_model(seed: int, seconds: int, is_authorized: bool) -> None:
    """Any history keeps 0 ≤ refunded ≤ captured ≤ authorised and does what the model does."""
    history = History(seconds)
    if is_authorized:
        history.answer(0, Approved(), Rejected())
    for step in history_of(seed):
        if step.verb == "wait":
            history.seconds += 1
        elif step.verb != "answer":
            history.begin(step)
        elif step.place < len(history.running):
            history.answer(step.place, step.first, step.second)
        history.check()
