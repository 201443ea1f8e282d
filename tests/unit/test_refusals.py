"""The error table: every domain error is in it, and has a reason and a message of its own."""

import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo

from pkg import errors
from pkg.grpc.refusals import Refusal
from services.payments.api.refusals import CODES, refusal_of
from services.payments.domain import errors as domain_errors
from services.payments.domain.money import Money

HTTP_OF_CONTRACT = {
    "VALIDATION_FAILED": "INVALID_ARGUMENT",
    "CURRENCY_MISMATCH": "INVALID_ARGUMENT",
    "INVALID_PAGE_TOKEN": "INVALID_ARGUMENT",
    "INVALID_API_KEY": "UNAUTHENTICATED",
    "INSUFFICIENT_SCOPE": "PERMISSION_DENIED",
    "PAYMENT_NOT_FOUND": "NOT_FOUND",
    "CARD_TOKEN_NOT_FOUND": "NOT_FOUND",
    "REQUEST_NOT_FOUND": "NOT_FOUND",
    "BANK_RULE_NOT_FOUND": "NOT_FOUND",
    "BANK_RULE_LIMIT": "FAILED_PRECONDITION",
    "SANDBOX_NOT_FOUND": "NOT_FOUND",
    "SANDBOX_LIMIT": "FAILED_PRECONDITION",
    "WEBHOOK_ENDPOINT_NOT_FOUND": "NOT_FOUND",
    "LISTENER_REPLACED": "FAILED_PRECONDITION",
    "CARD_TOKEN_REMOVED": "FAILED_PRECONDITION",
    "IDEMPOTENCY_IN_FLIGHT": "ABORTED",
    "CONCURRENT_UPDATE": "ABORTED",
    "ACTION_PENDING": "ABORTED",
    "AMOUNT_EXCEEDS_CAPTURABLE": "FAILED_PRECONDITION",
    "AMOUNT_EXCEEDS_REFUNDABLE": "FAILED_PRECONDITION",
    "PAYMENT_VOIDED": "FAILED_PRECONDITION",
    "PAYMENT_DECLINED": "FAILED_PRECONDITION",
    "PAYMENT_FAILED": "FAILED_PRECONDITION",
    "PAYMENT_EXPIRED": "FAILED_PRECONDITION",
    "PAYMENT_REFUNDED": "FAILED_PRECONDITION",
    "PAYMENT_CAPTURED": "FAILED_PRECONDITION",
    "NOT_CAPTURED": "FAILED_PRECONDITION",
    "IDEMPOTENCY_KEY_REUSED": "FAILED_PRECONDITION",
    "RATE_LIMITED": "RESOURCE_EXHAUSTED",
    "DEPENDENCY_UNAVAILABLE": "UNAVAILABLE",
}


# Those have tables of their own.
OTHERS = ("services.events", "services.payments.admin")


def every_error() -> set[type[errors.ApiError]]:
    """Return the errors of this service that have a reason, however deep they derive."""
    found, todo = set(), [errors.ApiError]
    while todo:
        for kind in todo.pop().__subclasses__():
            todo.append(kind)
            if hasattr(kind, "reason") and not kind.__module__.startswith(OTHERS):
                found.add(kind)
    return found


def test_the_table_holds_every_error() -> None:
    """No domain error is without a code, and none has two."""
    assert set(CODES) == every_error()
    assert {kind.reason: code.name for kind, code in CODES.items()} == HTTP_OF_CONTRACT
    messages = [str(kind.__doc__) for kind in CODES]
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize("kind", CODES)
def test_every_error_becomes_a_status(kind: type[errors.ApiError]) -> None:
    """Each becomes google.rpc.Status with an ErrorInfo of our domain, its docstring as message."""
    too_large = (
        domain_errors.AmountExceedsCapturableError,
        domain_errors.AmountExceedsRefundableError,
    )
    if kind is errors.ValidationFailedError:
        problem: errors.ApiError = errors.ValidationFailedError({"amount": "is required"})
    elif issubclass(kind, too_large):
        problem = kind(requested=Money(2, "GBP"), available=Money(1, "GBP"))
    else:
        problem = kind()
    refusal = refusal_of(problem)
    assert isinstance(refusal, Refusal)
    status = refusal.status()
    assert status.message == kind.__doc__
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    assert (info.domain, info.reason) == ("paygate", kind.reason)
    assert len(status.details) == 1 + (kind is errors.ValidationFailedError)


def test_a_bug_is_no_refusal() -> None:
    """Anything else is left to the wall that tells the client nothing but a request id."""
    assert refusal_of(ValueError("secret")) is None
    assert grpc.StatusCode.INTERNAL not in CODES.values()
