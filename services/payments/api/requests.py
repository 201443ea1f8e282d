"""Request messages to checked commands. Every violation is found at once; no value is repeated."""

import re
from collections.abc import Sequence
from datetime import datetime

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from pkg.grpc.validation import Checks
from pkg.ids import is_id
from services.payments.domain.card import TOO_FAR_AHEAD, Cvv, Expiry, Pan
from services.payments.domain.errors import (
    IN_THE_PAST,
    CardTokenNotFoundError,
    PaymentNotFoundError,
)
from services.payments.domain.money import EXPONENTS, Money
from services.payments.domain.status import Status
from services.payments.ports import CardDetails, PaymentFilter
from services.payments.use_cases.authorize import Authorize
from services.payments.use_cases.capture import Capture
from services.payments.use_cases.refund import Refund
from services.payments.use_cases.void import Void

AMOUNT_MAX_MINOR_UNITS = 10**12

_NAMED_BY = {
    service.CaptureRequest: "authorization_id",
    service.VoidRequest: "authorization_id",
    service.RefundRequest: "authorization_id",
    service.GetPaymentRequest: "id",
    service.ListPaymentActionsRequest: "id",
}
_WITH_PAYMENT = {
    service.AuthorizeResponse,
    service.CaptureResponse,
    service.VoidResponse,
    service.RefundResponse,
    service.GetPaymentResponse,
}
_DIGITS_MANY = re.compile(r"[0-9]{12}")


def authorize_of(
    request: service.AuthorizeRequest,
    *,
    merchant_id: str,
    key_id: str = "",
    keys: Sequence[str],
    now: datetime,
) -> Authorize:
    """Return the command, or raise ValidationFailedError with all that is wrong."""
    checks = Checks()
    key, amount = checks.idempotency_key(keys), _amount(checks, request)
    reference = checks.text("reference", request.reference)
    card: CardDetails | str | None = None
    if request.HasField("card_details"):
        card = _card(checks, request.card_details, now)
    elif request.HasField("card_token"):
        card = request.card_token
        if not card:
            checks.add("card_token", "is required")
    else:
        checks.add("card_details", "is required")
    if checks.violations and isinstance(card, CardDetails) and card.expiry.is_past(now):
        # Alone it is no violation here but a guard: a retry of a request that went through before
        # the month ended must get its stored reply.
        checks.add("card_details.expiry", IN_THE_PAST)
    checks.end()
    if isinstance(card, str) and not is_id("tok", card):
        raise CardTokenNotFoundError
    assert card is not None
    assert amount is not None
    return Authorize(
        merchant_id=merchant_id,
        key_id=key_id,
        card=card,
        amount=amount,
        reference=reference,
        idempotency_key=key,
    )


def capture_of(
    request: service.CaptureRequest, *, merchant_id: str, keys: Sequence[str]
) -> Capture:
    """Return the command, or raise ValidationFailedError with all that is wrong."""
    checks = Checks()
    key, amount = checks.idempotency_key(keys), _amount(checks, request)
    reference = checks.text("reference", request.reference)
    payment_id = _payment_id(checks, "authorization_id", request.authorization_id)
    assert amount is not None
    return Capture(
        merchant_id=merchant_id,
        payment_id=payment_id,
        amount=amount,
        final=request.final,
        reference=reference,
        idempotency_key=key,
    )


def void_of(request: service.VoidRequest, *, merchant_id: str, keys: Sequence[str]) -> Void:
    """Return the command, or raise ValidationFailedError with all that is wrong."""
    checks = Checks()
    key = checks.idempotency_key(keys)
    reference = checks.text("reference", request.reference)
    payment_id = _payment_id(checks, "authorization_id", request.authorization_id)
    return Void(
        merchant_id=merchant_id,
        payment_id=payment_id,
        remainder=request.remainder,
        reference=reference,
        idempotency_key=key,
    )


def refund_of(request: service.RefundRequest, *, merchant_id: str, keys: Sequence[str]) -> Refund:
    """Return the command, or raise ValidationFailedError with all that is wrong."""
    checks = Checks()
    key, amount = checks.idempotency_key(keys), _amount(checks, request)
    reference = checks.text("reference", request.reference)
    payment_id = _payment_id(checks, "authorization_id", request.authorization_id)
    assert amount is not None
    return Refund(
        merchant_id=merchant_id,
        payment_id=payment_id,
        amount=amount,
        reference=reference,
        idempotency_key=key,
    )


def card_token_of(request: service.DeleteCardRequest) -> str:
    """Return the token, or raise CardTokenNotFoundError where it can be none."""
    if not is_id("tok", request.token):
        raise CardTokenNotFoundError
    return request.token


def payment_id_of(request: service.GetPaymentRequest) -> str:
    """Return the id, or raise PaymentNotFoundError where it can be none."""
    return _payment_id(Checks(), "id", request.id)


def payment_id_in(request: object, reply: object) -> str:
    """Return the id of the payment that a call was about, for the log; empty if there is none.

    What a client names is taken only if it can be an id, and no card's number in its clothes.
    """
    if type(reply) in _WITH_PAYMENT:
        return str(reply.payment.id)  # type: ignore[attr-defined]  # it is one of those
    named = getattr(request, _NAMED_BY.get(type(request), ""), "")
    return named if is_id("pay", named) and not _DIGITS_MANY.search(named) else ""


def actions_page_of(request: service.ListPaymentActionsRequest) -> tuple[str, int]:
    """Return the payment's id and the size of the page."""
    checks = Checks()
    size = checks.page_size(request.page_size)
    return _payment_id(checks, "id", request.id), size


def filter_of(request: service.ListPaymentsRequest) -> tuple[PaymentFilter, int]:
    """Return the filter and the size of the page."""
    checks = Checks()
    size = checks.page_size(request.page_size)
    wanted = PaymentFilter(
        status=checks.status(request.status, pb.Payment.Status, Status),
        reference=checks.text("reference", request.reference),
        made=checks.period(request),
    )
    checks.no_empty_filter(request, "reference")
    if request.follow and wanted.status:
        checks.add("follow", "must not come with status: what has changed would be missed")
    checks.end()
    return wanted, size


def _card(checks: Checks, details: pb.CardDetails, now: datetime) -> CardDetails | None:
    pan = cvv = expiry = None
    try:
        pan = Pan.parse(details.pan)
    except ValueError as problem:
        checks.add("card_details.pan", str(problem) if details.pan else "is required")
    try:
        cvv = Cvv.parse(details.cvv, pan.brand if pan else None)
    except ValueError as problem:
        checks.add("card_details.cvv", str(problem) if details.cvv else "is required")
    if not details.HasField("expiry"):
        checks.add("card_details.expiry", "is required")
    else:
        expiry = _expiry(checks, details.expiry, now)
    return CardDetails(pan, expiry, cvv) if pan and expiry and cvv else None


def _expiry(checks: Checks, expiry: pb.Expiry, now: datetime) -> Expiry | None:
    if not 1 <= expiry.month <= 12:
        checks.add("card_details.expiry.month", "must be from 1 to 12")
    elif not 1000 <= expiry.year <= 9999:
        checks.add("card_details.expiry.year", "must have four digits")
    elif Expiry(expiry.year, expiry.month).is_too_far(now):
        checks.add("card_details.expiry.year", TOO_FAR_AHEAD)
    else:
        return Expiry(expiry.year, expiry.month)
    return None


def _amount(
    checks: Checks,
    request: service.AuthorizeRequest | service.CaptureRequest | service.RefundRequest,
) -> Money | None:
    if not request.HasField("amount"):
        checks.add("amount", "is required")
        return None
    amount = request.amount
    if amount.minor_units <= 0:
        checks.add("amount.minor_units", "must be greater than 0")
    elif amount.minor_units > AMOUNT_MAX_MINOR_UNITS:
        checks.add("amount.minor_units", f"must be at most {AMOUNT_MAX_MINOR_UNITS}")
    if not amount.currency:
        checks.add("amount.currency", "is required")
    elif amount.currency not in EXPONENTS:
        checks.add("amount.currency", "must be an ISO 4217 currency code in upper case")
    return Money(amount.minor_units, amount.currency)


def _payment_id(checks: Checks, field: str, payment_id: str) -> str:
    """Ends the checks: what is no id cannot be found, but the rest of the request comes first."""
    if not payment_id:
        checks.add(field, "is required")
    checks.end()
    if not is_id("pay", payment_id):
        raise PaymentNotFoundError
    return payment_id
