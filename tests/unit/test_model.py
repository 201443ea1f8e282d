"""Random sequences of verbs and answers against a small model of the money."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from services.payments.domain import error
from services.payments.domain.action import Action
from services.payments.domain.outcome import Approved, DeclineCode, Declined
from services.payments.domain.payment import Payment
from services.payments.domain.settle import settle
from services.payments.domain.status import Status
from tests.builders import LATER, authorized, capture, gbp, refund, void


@dataclass
class Model:
    """What a payment of 100 may do, in the plainest words."""

    captured: int = 0
    refunded: int = 0
    over: bool = False  # nothing can be captured any more
    voided: bool = False
    open: list[tuple[str, int, bool]] = field(default_factory=list)

    def total(self, verb: str) -> int:
        """Return what is under way of one verb."""
        return sum(amount for name, amount, _ in self.open if name == verb)

    def may(self, verb: str, amount: int) -> bool:
        """Tell whether a verb may begin."""
        verbs = {name for name, _, _ in self.open}
        if self.voided or "void" in verbs:
            return False
        if verb == "capture":
            final = any(name == "capture" and last for name, _, last in self.open)
            left = 100 - self.captured - self.total("capture")
            return not (self.over or self.refunded or "refund" in verbs or final) and amount <= left
        if verb == "void":
            return not (self.captured or self.refunded or verbs)
        left = self.captured - self.refunded - self.total("refund")
        return self.captured > 0 and "capture" not in verbs and amount <= left

    def end(self, place: int, *, approved: bool) -> None:
        """Apply the bank's answer to what is under way."""
        verb, amount, final = self.open.pop(place)
        if approved:
            self.captured += amount if verb == "capture" else 0
            self.refunded += amount if verb == "refund" else 0
            self.voided = verb == "void"
            self.over = self.over or final or verb == "refund"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("capture"), st.integers(1, 101), st.booleans()),
        st.tuples(st.just("refund"), st.integers(1, 101), st.just(False)),
        st.tuples(st.just("void"), st.just(100), st.just(False)),
        st.tuples(st.just("answer"), st.integers(0, 5), st.booleans()),
    ),
    max_size=40,
)


def begin(payment: Payment, verb: str, amount: int, *, final: bool) -> tuple[Payment, Action]:
    """Begin a verb."""
    if verb == "capture":
        return capture(payment, amount, final=final)
    return refund(payment, amount) if verb == "refund" else void(payment)


@given(STEPS)
def test_a_payment_agrees_with_the_model(steps: list[tuple[str, int, bool]]) -> None:
    """Any sequence keeps 0 ≤ refunded ≤ captured ≤ authorised and does what the model does."""
    payment, model, running = authorized(100), Model(), list[Action]()
    for verb, number, flag in steps:
        if verb == "answer":
            if number < len(running):
                answer = Approved() if flag else Declined(DeclineCode.CARD_DECLINED)
                result = settle(payment, running.pop(number), answer, LATER)
                assert result is not None
                payment = result[0]
                model.end(number, approved=flag)
        else:
            try:
                payment, action = begin(payment, verb, number, final=flag)
            except error.PaymentsError:
                assert not model.may(verb, number)
            else:
                assert model.may(verb, number)
                running.append(action)
                model.open.append((verb, number, flag))
        assert payment.captured == gbp(model.captured)
        assert payment.refunded == gbp(model.refunded)
        assert 0 <= model.refunded <= model.captured <= 100
        assert payment.captured.minor_units + payment.capturing.minor_units <= 100
        assert (payment.refunded + payment.refunding).minor_units <= payment.captured.minor_units
        assert (payment.status is Status.VOIDED) is model.voided
