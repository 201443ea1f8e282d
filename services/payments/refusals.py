"""The one table from the domain's errors to what a client gets."""

import grpc

from pkg.refusals import SHARED_CODES, Codes, refusal
from pkg.rpc import Refusal
from services.payments.domain import error

_Code = grpc.StatusCode

CODES: Codes = {
    **SHARED_CODES,
    error.CurrencyMismatchError: _Code.INVALID_ARGUMENT,
    error.PaymentNotFoundError: _Code.NOT_FOUND,
    error.CardTokenNotFoundError: _Code.NOT_FOUND,
    error.CardTokenRemovedError: _Code.FAILED_PRECONDITION,
    error.TooManyDeclinesError: _Code.RESOURCE_EXHAUSTED,
    error.ConcurrentUpdateError: _Code.ABORTED,
    error.ActionPendingError: _Code.ABORTED,
    error.AmountExceedsCapturableError: _Code.FAILED_PRECONDITION,
    error.AmountExceedsRefundableError: _Code.FAILED_PRECONDITION,
    error.PaymentVoidedError: _Code.FAILED_PRECONDITION,
    error.PaymentDeclinedError: _Code.FAILED_PRECONDITION,
    error.PaymentFailedError: _Code.FAILED_PRECONDITION,
    error.PaymentExpiredError: _Code.FAILED_PRECONDITION,
    error.PaymentRefundedError: _Code.FAILED_PRECONDITION,
    error.PaymentCapturedError: _Code.FAILED_PRECONDITION,
    error.NotCapturedError: _Code.FAILED_PRECONDITION,
}


def refusal_of(problem: Exception) -> Refusal | None:
    """Return what the client is told; None for anything that is not a refusal but a bug."""
    return refusal(problem, CODES)
