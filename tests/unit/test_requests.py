"""Reading requests: every violation at once, by its field's path, and no value repeated."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from pkg.errors import ValidationFailedError
from pkg.grpc.lists import Period
from pkg.ids import new_id
from services.payments.api import requests
from services.payments.domain.errors import PaymentNotFoundError
from services.payments.domain.money import EXPONENTS
from services.payments.domain.status import Status
from services.payments.ports import PaymentFilter
from tests.builders import MERCHANT, NOW

PAN, CVV = "4242424242424242", "123"
GOOD_ID = new_id("pay", NOW)


def card(**changes: Any) -> pb.CardDetails:
    """Return good card details, changed."""
    good = {"pan": PAN, "expiry": pb.Expiry(month=12, year=2030), "cvv": CVV}
    return pb.CardDetails(**{**good, **changes})


def amount(minor_units: int = 1000, currency: str = "GBP") -> pb.Amount:
    """Return an amount."""
    return pb.Amount(minor_units=minor_units, currency=currency)


def authorize(keys: tuple[str, ...] = (), **changes: Any) -> object:
    """Read an authorization that is good but for the changes."""
    request = service.AuthorizeRequest(**{"card_details": card(), "amount": amount(), **changes})
    return requests.authorize_of(request, merchant_id=MERCHANT, keys=keys, now=NOW)


def capture(**changes: Any) -> object:
    """Read a capture that is good but for the changes."""
    good = {"authorization_id": GOOD_ID, "amount": amount()}
    request = service.CaptureRequest(**{**good, **changes})
    return requests.capture_of(request, merchant_id=MERCHANT, keys=())


def refund(**changes: Any) -> object:
    """Read a refund that is good but for the changes."""
    good = {"authorization_id": GOOD_ID, "amount": amount()}
    request = service.RefundRequest(**{**good, **changes})
    return requests.refund_of(request, merchant_id=MERCHANT, keys=())


def void(**changes: Any) -> object:
    """Read a void that is good but for the changes."""
    request = service.VoidRequest(**{"authorization_id": GOOD_ID, **changes})
    return requests.void_of(request, merchant_id=MERCHANT, keys=())


def listing(**changes: Any) -> object:
    """Read a list request."""
    return requests.filter_of(service.ListPaymentsRequest(**changes))


BAD: list[tuple[Callable[..., object], dict[str, Any], set[str]]] = [
    (authorize, {"card_details": None}, {"card_details"}),
    (authorize, {"card_details": None, "card_token": ""}, {"card_token"}),
    (
        authorize,
        {"card_details": None, "card_token": "tok_1", "reference": "\0"},
        {"reference"},
    ),
    (authorize, {"card_details": card(pan="")}, {"card_details.pan"}),
    (authorize, {"card_details": card(pan="4242424242424241")}, {"card_details.pan"}),
    (authorize, {"card_details": card(cvv="")}, {"card_details.cvv"}),
    (authorize, {"card_details": card(cvv="1234")}, {"card_details.cvv"}),
    (authorize, {"card_details": card(pan="378282246310005")}, {"card_details.cvv"}),
    (authorize, {"card_details": card(expiry=None)}, {"card_details.expiry"}),
    (
        authorize,
        {"card_details": card(expiry=pb.Expiry(month=13, year=2030))},
        {"card_details.expiry.month"},
    ),
    (
        authorize,
        {"card_details": card(expiry=pb.Expiry(month=12, year=30))},
        {"card_details.expiry.year"},
    ),
    *(
        (
            authorize,
            {"card_details": card(expiry=pb.Expiry(month=1, year=year))},
            {"card_details.expiry.year"},
        )
        for year in (NOW.year + 51, 9999)
    ),
    (
        authorize,
        {"card_details": card(pan="0" * 16)},
        {"card_details.pan"},
    ),
    (authorize, {"amount": None}, {"amount"}),
    (authorize, {"amount": amount(0)}, {"amount.minor_units"}),
    (authorize, {"amount": amount(-1)}, {"amount.minor_units"}),
    (authorize, {"amount": amount(10**12 + 1)}, {"amount.minor_units"}),
    (authorize, {"amount": amount(currency="")}, {"amount.currency"}),
    (authorize, {"amount": amount(currency="gbp")}, {"amount.currency"}),
    (authorize, {"amount": amount(currency="XAU")}, {"amount.currency"}),
    (authorize, {"reference": "x" * 256}, {"reference"}),
    (authorize, {"reference": "a\x00b"}, {"reference"}),
    (authorize, {"reference": "a\x85b"}, {"reference"}),
    (authorize, {"keys": ("",)}, {"idempotency-key"}),
    (authorize, {"keys": ("k" * 256,)}, {"idempotency-key"}),
    (authorize, {"keys": ("a b",)}, {"idempotency-key"}),
    (authorize, {"keys": ("a", "b")}, {"idempotency-key"}),
    (capture, {"authorization_id": ""}, {"authorization_id"}),
    (capture, {"amount": None}, {"amount"}),
    (capture, {"amount": amount(0), "reference": "\n"}, {"amount.minor_units", "reference"}),
    (refund, {"authorization_id": "", "amount": None}, {"authorization_id", "amount"}),
    (refund, {"amount": amount(currency="?")}, {"amount.currency"}),
    (void, {"authorization_id": "", "reference": "\t"}, {"authorization_id", "reference"}),
    (listing, {"page_size": -1}, {"page_size"}),
    (listing, {"page_size": 101, "status": 99}, {"page_size", "status"}),
    (listing, {"created_after": Timestamp(seconds=2**60)}, {"created_after"}),
    (listing, {"reference": ""}, {"reference"}),
    (listing, {"follow": True, "status": pb.Payment.STATUS_VOIDED}, {"follow"}),
    (
        authorize,
        {
            "card_details": card(pan="1", cvv="1", expiry=pb.Expiry(month=0, year=1)),
            "amount": amount(0, "?"),
            "reference": "\x01",
            "keys": ("ü",),
        },
        {
            "card_details.pan",
            "card_details.cvv",
            "card_details.expiry.month",
            "amount.minor_units",
            "amount.currency",
            "reference",
            "idempotency-key",
        },
    ),
]


@pytest.mark.parametrize(("read", "changes", "fields"), BAD)
def test_violations(read: Callable[..., object], changes: dict[str, Any], fields: set[str]) -> None:
    """Exactly the fields that are wrong are named, all of them at once."""
    with pytest.raises(ValidationFailedError) as refused:
        read(**changes)
    assert set(refused.value.violations) == fields


def test_an_unknown_status_is_told_the_known() -> None:
    """All but the one that means nothing."""
    with pytest.raises(ValidationFailedError) as refused:
        listing(status=99)
    told = refused.value.violations["status"]
    assert told.startswith("must be one of STATUS_PENDING, STATUS_AUTHORIZED, ")
    assert "UNSPECIFIED" not in told


def test_violations_repeat_no_value() -> None:
    """What the client sent is in no violation: it may be a card number."""
    with pytest.raises(ValidationFailedError) as refused:
        authorize(card_details=card(pan="4929123412341234", cvv="98765"), reference="s3cret\n")
    told = str(refused.value.violations)
    assert not any(sent in told for sent in ("4929", "98765", "s3cret"))


@pytest.mark.parametrize("text", ["x", "pay_", "act_01h455vb4pex5vsknk084sn02q", "pay_\x00"])
def test_what_is_no_id_is_not_found(text: str) -> None:
    """A malformed id is like an unknown one; but a bad amount is told first."""
    for read in (capture, refund, void):
        with pytest.raises(PaymentNotFoundError):
            read(authorization_id=text)
    with pytest.raises(ValidationFailedError):
        capture(authorization_id=text, amount=amount(0))
    with pytest.raises(PaymentNotFoundError):
        requests.payment_id_of(service.GetPaymentRequest(id=text))


@pytest.mark.parametrize("currency", sorted(EXPONENTS))
@pytest.mark.parametrize("minor_units", [1, 10**12])
def test_every_currency_is_taken(currency: str, minor_units: int) -> None:
    """Every ISO 4217 currency with an exponent, from one minor unit to the largest amount."""
    command: Any = authorize(amount=amount(minor_units, currency))
    assert (command.amount.minor_units, command.amount.currency) == (minor_units, currency)


def test_a_past_expiry_is_a_violation_only_beside_others() -> None:
    """Alone it is left to the decision, after the idempotency key was looked up."""
    old = card(expiry=pb.Expiry(month=1, year=2020))
    authorize(card_details=old)
    with pytest.raises(ValidationFailedError) as refused:
        authorize(card_details=old, amount=None)
    assert set(refused.value.violations) == {"amount", "card_details.expiry"}


def test_a_good_list_request() -> None:
    """Zero and nothing mean the defaults."""
    wanted, size = requests.filter_of(service.ListPaymentsRequest())
    assert (wanted, size) == (PaymentFilter(), 20)
    wanted, size = requests.filter_of(
        service.ListPaymentsRequest(status=pb.Payment.STATUS_VOIDED, page_size=100)
    )
    assert (wanted.status, size) == (Status.VOIDED, 100)


@pytest.mark.parametrize(
    ("nanos", "microsecond"),
    [(0, 0), (1_000, 1), (1_001, 2), (1_999, 2), (999, 1), (999_999_999, 1_000_000)],
)
def test_a_bound_between_two_microseconds_is_the_later_one(nanos: int, microsecond: int) -> None:
    """What is at the earlier one is before the bound on both sides; an exact bound stays."""
    second = datetime(2026, 11, 28, 12, tzinfo=UTC)
    bound = Timestamp(seconds=int(second.timestamp()), nanos=nanos)
    wanted, _ = requests.filter_of(
        service.ListPaymentsRequest(created_after=bound, created_before=bound)
    )
    exact = second + timedelta(microseconds=microsecond)
    assert wanted.made == Period(after=exact, before=exact)


def test_the_last_time_there_is_can_be_a_bound() -> None:
    """It is often written for "for ever", with nine digits."""
    bound = Timestamp(seconds=253402300799, nanos=999_999_999)
    wanted, _ = requests.filter_of(service.ListPaymentsRequest(created_before=bound))
    assert wanted.made.before == datetime.max.replace(tzinfo=UTC)


def test_a_card_may_be_good_for_fifty_years() -> None:
    """By the gateway's clock; longer is more likely a mistake."""
    assert authorize(card_details=card(expiry=pb.Expiry(month=12, year=NOW.year + 50)))
