"""The one table from the domain's errors to what a client gets."""

import grpc

from pkg import errors
from pkg.rpc import Refusal
from services.payments.domain import error

_Code = grpc.StatusCode

CODES: dict[type[errors.ApiError], grpc.StatusCode] = {
    errors.ValidationFailedError: _Code.INVALID_ARGUMENT,
    error.CurrencyMismatchError: _Code.INVALID_ARGUMENT,
    errors.InvalidPageTokenError: _Code.INVALID_ARGUMENT,
    errors.InvalidApiKeyError: _Code.UNAUTHENTICATED,
    error.PaymentNotFoundError: _Code.NOT_FOUND,
    error.IdempotencyInFlightError: _Code.ABORTED,
    error.ConcurrentUpdateError: _Code.ABORTED,
    error.ActionPendingError: _Code.ABORTED,
    error.IdempotencyKeyReusedError: _Code.FAILED_PRECONDITION,
    error.AmountExceedsCapturableError: _Code.FAILED_PRECONDITION,
    error.AmountExceedsRefundableError: _Code.FAILED_PRECONDITION,
    error.PaymentVoidedError: _Code.FAILED_PRECONDITION,
    error.PaymentDeclinedError: _Code.FAILED_PRECONDITION,
    error.PaymentFailedError: _Code.FAILED_PRECONDITION,
    error.PaymentExpiredError: _Code.FAILED_PRECONDITION,
    error.PaymentRefundedError: _Code.FAILED_PRECONDITION,
    error.PaymentCapturedError: _Code.FAILED_PRECONDITION,
    error.NotCapturedError: _Code.FAILED_PRECONDITION,
    errors.DependencyUnavailableError: _Code.UNAVAILABLE,
}


def refusal_of(problem: Exception) -> Refusal | None:
    """Return what the client is told; None for anything that is not a refusal but a bug."""
    if not isinstance(problem, errors.ApiError):
        return None
    return Refusal(
        code=CODES[type(problem)],
        reason=problem.reason,
        message=str(problem),
        metadata=problem.metadata,
        violations=problem.violations,
        retry_after_seconds=problem.retry_after_seconds,
    )
