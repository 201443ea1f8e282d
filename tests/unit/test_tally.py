"""What a stored change counts as, and which payment a call was about."""

from datetime import timedelta

import pytest

from paygate.payments.v1 import payment_service_pb2 as service
from pkg.ids import new_id
from pkg.observe.metrics import Metrics
from services.payments.adapters.tally import StoreTally
from services.payments.api.requests import payment_id_in
from services.payments.domain.action import Action
from services.payments.domain.outcome import DeclineCode, Declined
from services.payments.domain.payment import Payment
from services.payments.domain.settle import settle_expiry, settle_reversal
from services.payments.ports import Change
from tests.builders import (
    LATER,
    LIFETIME,
    NOW,
    authorized,
    begun,
    capture,
    captured,
    refund,
    settled,
)

PAYMENT_ID = "pay_01m8542zavfj8rsw53v04cahtr"
EXPIRED = NOW + LIFETIME + timedelta(hours=1)


def counted(*changes: Change) -> dict[str, dict[tuple[str, ...], float]]:
    """Return what is counted of changes, by metric, without zeros."""
    metrics = Metrics()
    tally = StoreTally(metrics)
    for change in changes:
        tally.committed(change)
    names = ("paygate_authorizations_total", "paygate_money_minor_units_total")
    found = {}
    for name in (*names, "paygate_expiries_total"):
        values = {labels: value for labels, value in metrics.values(name).items() if value}
        if values:
            found[name.removeprefix("paygate_").removesuffix("_total")] = values
    return found


def of(step: tuple[Payment, Action]) -> Change:
    """Return the change that stores a step."""
    return Change(payment=step[0], actions=(step[1],))


def test_what_only_begins_does_not_count() -> None:
    """An action that is PENDING has no outcome, and has moved no money."""
    assert counted(of(begun()), of(capture(authorized(), 400))) == {}


def test_an_approval_counts_with_its_money() -> None:
    """By the card's brand, and the amount in the currency's minor unit."""
    assert counted(of(settled(begun(1234)))) == {
        "authorizations": {("approved", "", "VISA"): 1},
        "money_minor_units": {("authorize", "GBP"): 1234},
    }


def test_a_decline_counts_with_its_code_and_no_money() -> None:
    """What the bank refuses moves nothing."""
    declined = settled(begun(), Declined(DeclineCode.INSUFFICIENT_FUNDS))
    expected = {("declined", "INSUFFICIENT_FUNDS", "VISA"): 1}
    assert counted(of(declined)) == {"authorizations": expected}
    late = settled(capture(authorized(), 400), Declined(DeclineCode.CAPTURE_REJECTED))
    assert counted(of(late)) == {}


def test_captures_and_refunds_count_as_money() -> None:
    """Each part for itself."""
    paid = captured(authorized(), 900)
    changes = [settled(capture(authorized(), 400)), settled(refund(paid, 300))]
    assert counted(*map(of, changes)) == {
        "money_minor_units": {("capture", "GBP"): 400, ("refund", "GBP"): 300}
    }


def test_a_pending_reply_counts_by_brand_and_for_authorizations_only() -> None:
    """It is no end: what came of it counts once more."""
    metrics = Metrics()
    tally = StoreTally(metrics)
    for step in (begun(), capture(authorized(), 400)):
        tally.left_pending(*step)
    counted = metrics.values("paygate_authorizations_total")
    assert counted == {("pending", "", "VISA"): 1}


def test_a_reversed_authorization_failed() -> None:
    """The change of a reversal is about the authorization that it ends."""
    payment, authorization = begun()
    reversing, reversal = payment.reverse(action_id=new_id("act", LATER), now=LATER)
    ended = settle_reversal(reversing, reversal, authorization, LATER)
    assert ended is not None
    failed, reversed_, authorization = ended
    change = Change(payment=failed, actions=(authorization, reversed_))
    assert counted(change) == {"authorizations": {("failed", "", "VISA"): 1}}


@pytest.mark.parametrize(
    ("payment", "outcome"), [(authorized(), "expired"), (captured(authorized(), 400), "released")]
)
def test_an_expiry_counts_when_it_begins_and_when_it_ends(payment: Payment, outcome: str) -> None:
    """What is begun and not ended is in doubt."""
    expiring = payment.expire(action_id=new_id("act", EXPIRED), now=EXPIRED)
    assert expiring is not None
    assert counted(of(expiring)) == {"expiries": {("begun",): 1}}
    over = settle_expiry(*expiring, EXPIRED)
    assert over is not None
    assert counted(of(over)) == {"expiries": {(outcome,): 1}}


@pytest.mark.parametrize(
    ("request_", "reply", "found"),
    [
        (service.CaptureRequest(authorization_id=PAYMENT_ID), None, PAYMENT_ID),
        (service.GetPaymentRequest(id=PAYMENT_ID), None, PAYMENT_ID),
        (service.ListPaymentActionsRequest(id=PAYMENT_ID), None, PAYMENT_ID),
        (service.CaptureRequest(authorization_id="4929123412341234"), None, ""),
        # The form of an id, and a card's number in it.
        (service.VoidRequest(authorization_id=f"pay_{'0' * 10}4929123412341234"), None, ""),
        (service.AuthorizeRequest(), None, ""),
        (service.ListPaymentsRequest(reference=PAYMENT_ID), service.ListPaymentsResponse(), ""),
        (None, None, ""),
    ],
)
def test_the_payment_of_a_request(request_: object, reply: object, found: str) -> None:
    """A refused call is about the payment that it named, if what it named can be one."""
    assert payment_id_in(request_, reply) == found


def test_the_payment_of_a_reply() -> None:
    """A call that went well is about the payment that it returns."""
    reply = service.AuthorizeResponse()
    reply.payment.id = PAYMENT_ID
    assert payment_id_in(service.AuthorizeRequest(), reply) == PAYMENT_ID
