"""The one table from the domain's errors to what a client gets."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import grpc

from pkg.grpc.refusals import SHARED_CODES, Codes, Refusal, refusal
from services.payments.domain import error
from services.payments.ports import Clock

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


# By the time alone.
_BY_TIME = (error.PaymentExpiredError, error.CardTokenRemovedError)
_VIOLATIONS_BY_TIME = {error.IN_THE_PAST, error.OF_AN_EXPIRED_CARD}
_TURNED = timedelta(seconds=1)


def telling_the_time(clock: Clock) -> Callable[[Exception], Refusal | None]:
    """Return what turns errors into refusals, and names the clock where a turned one made them."""

    def told(problem: Exception) -> Refusal | None:
        refused, now = refusal_of(problem), clock.now()
        if refused is None or now - datetime.now(UTC) < _TURNED:
            return refused
        says = f"(the sandbox's clock says {now:%Y-%m-%dT%H:%M:%SZ})"
        if isinstance(problem, _BY_TIME):
            return replace(refused, message=f"{refused.message} {says}")
        violations = {
            field: f"{text} {says}" if text in _VIOLATIONS_BY_TIME else text
            for field, text in refused.violations.items()
        }
        return replace(refused, violations=violations)

    return told


def refusal_of(problem: Exception) -> Refusal | None:
    """Return what the client is told; None for anything that is not a refusal but a bug."""
    return refusal(problem, CODES)
