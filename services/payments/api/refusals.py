"""The one table from the domain's errors to what a client gets."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import grpc

from pkg.errors import ValidationFailedError
from pkg.grpc.guard import current_call
from pkg.grpc.refusals import SHARED_CODES, Codes, Refusal, refusal
from services.payments.domain import errors
from services.payments.domain.card import TOO_FAR_AHEAD
from services.payments.ports import NOBODYS, Clock

_Code = grpc.StatusCode

CODES: Codes = {
    **SHARED_CODES,
    errors.CurrencyMismatchError: _Code.INVALID_ARGUMENT,
    errors.PaymentNotFoundError: _Code.NOT_FOUND,
    errors.CardTokenNotFoundError: _Code.NOT_FOUND,
    errors.RequestNotFoundError: _Code.NOT_FOUND,
    errors.BankRuleNotFoundError: _Code.NOT_FOUND,
    errors.BankRuleLimitError: _Code.FAILED_PRECONDITION,
    errors.SandboxNotFoundError: _Code.NOT_FOUND,
    errors.SandboxLimitError: _Code.FAILED_PRECONDITION,
    errors.EndpointNotFoundError: _Code.NOT_FOUND,
    errors.ListenerReplacedError: _Code.FAILED_PRECONDITION,
    errors.CardTokenRemovedError: _Code.FAILED_PRECONDITION,
    errors.TooManyDeclinesError: _Code.RESOURCE_EXHAUSTED,
    errors.ConcurrentUpdateError: _Code.ABORTED,
    errors.ActionPendingError: _Code.ABORTED,
    errors.SandboxBusyError: _Code.ABORTED,
    errors.AmountExceedsCapturableError: _Code.FAILED_PRECONDITION,
    errors.AmountExceedsRefundableError: _Code.FAILED_PRECONDITION,
    errors.PaymentVoidedError: _Code.FAILED_PRECONDITION,
    errors.PaymentDeclinedError: _Code.FAILED_PRECONDITION,
    errors.PaymentFailedError: _Code.FAILED_PRECONDITION,
    errors.PaymentExpiredError: _Code.FAILED_PRECONDITION,
    errors.PaymentRefundedError: _Code.FAILED_PRECONDITION,
    errors.PaymentCapturedError: _Code.FAILED_PRECONDITION,
    errors.NothingLeftError: _Code.FAILED_PRECONDITION,
    errors.NotCapturedError: _Code.FAILED_PRECONDITION,
}


# By the time alone.
_BY_TIME = (errors.PaymentExpiredError, errors.CardTokenRemovedError)
_VIOLATIONS_BY_TIME = {errors.IN_THE_PAST, errors.OF_AN_EXPIRED_CARD, TOO_FAR_AHEAD}
_TURNED = timedelta(seconds=1)


def is_by_time(problem: ValidationFailedError) -> bool:
    """Tell whether a request is invalid by what its merchant's clock says."""
    return not _VIOLATIONS_BY_TIME.isdisjoint(problem.violations.values())


def telling_the_time(clock: Clock) -> Callable[[Exception], Refusal | None]:
    """Return what turns errors into refusals, and names the clock where a turned one made them."""

    def told(problem: Exception) -> Refusal | None:
        refused, call = refusal_of(problem), current_call()
        now = clock.now(call.merchant_id if call else NOBODYS)
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
