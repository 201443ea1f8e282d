"""Values for tests: a payment that is authorised, and a clock that tests turn."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1.payment_service_pb2 import AuthorizeResponse
from pkg.ids import new_id
from services.payments.domain.action import Action
from services.payments.domain.card import Brand, Card, Cvv, Expiry, Pan
from services.payments.domain.money import Money
from services.payments.domain.outcome import Approved, Final
from services.payments.domain.payment import Payment
from services.payments.domain.settle import settle
from services.payments.ports import CardDetails

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
LIFETIME = timedelta(days=7)
MERCHANT = "mer_a"
CARD = Card(brand=Brand.VISA, last4="4242", expiry=Expiry(2030, 12), fingerprint=b"f" * 32)
DETAILS = CardDetails(Pan("4242424242424242"), Expiry(2030, 12), Cvv("123"))
APPROVAL_CODE = "4F7A01BC"
HASH_KEY = "ab" * 32


def gbp(minor_units: int) -> Money:
    """Return an amount in pence."""
    return Money(minor_units, "GBP")


@dataclass
class TurnedClock:
    """A clock that stands still until it is turned."""

    time: datetime = NOW

    def now(self, _merchant_id: str = "") -> datetime:
        """Return the time."""
        return self.time


def a_reply(text: str) -> bytes:
    """Return a reply with a text in it, for whoever only stores replies."""
    action, payment = pb.Action(reference=text), pb.Payment(id=text)
    return AuthorizeResponse(action=action, payment=payment).SerializeToString()


def begun(
    amount: int = 1000, *, merchant_id: str = MERCHANT, now: datetime = NOW, reference: str = ""
) -> tuple[Payment, Action]:
    """Return a payment whose authorization is under way, as the bank is about to be asked."""
    return Payment.authorize(
        gbp(amount),
        CARD,
        merchant_id=merchant_id,
        payment_id=new_id("pay", now),
        action_id=new_id("act", now),
        reference=reference,
        now=now,
        expire_time=now + LIFETIME,
    )


def settled(
    step: tuple[Payment, Action], answer: Final | None = None, now: datetime = LATER
) -> tuple[Payment, Action]:
    """Return payment and action after the bank's answer: approved unless said otherwise."""
    result = settle(*step, answer or Approved(APPROVAL_CODE), now)
    assert result is not None
    return result


def authorized(amount: int = 1000) -> Payment:
    """Return a payment that is authorised."""
    return settled(begun(amount))[0]


def capture(
    payment: Payment, amount: int, *, final: bool = False, now: datetime = LATER
) -> tuple[Payment, Action]:
    """Begin a capture."""
    return payment.capture(
        gbp(amount), final=final, action_id=new_id("act", now), reference="", now=now
    )


def captured(payment: Payment, amount: int, *, final: bool = False) -> Payment:
    """Return the payment after a capture that the bank approved."""
    return settled(capture(payment, amount, final=final))[0]


def refund(payment: Payment, amount: int, *, now: datetime = LATER) -> tuple[Payment, Action]:
    """Begin a refund."""
    return payment.refund(gbp(amount), action_id=new_id("act", now), reference="", now=now)


def refunded(payment: Payment, amount: int) -> Payment:
    """Return the payment after a refund that the bank approved."""
    return settled(refund(payment, amount))[0]


def void(payment: Payment, *, now: datetime = LATER) -> tuple[Payment, Action]:
    """Begin a void."""
    return payment.void(action_id=new_id("act", now), reference="", now=now)


def void_remainder(payment: Payment, *, now: datetime = LATER) -> tuple[Payment, Action]:
    """Begin to void what no capture has taken."""
    return payment.void_remainder(action_id=new_id("act", now), reference="", now=now)
