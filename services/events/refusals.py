"""The one table from this service's errors to what a client gets."""

import grpc

from pkg import errors
from pkg.rpc import Refusal
from services.events import errors as own

_Code = grpc.StatusCode

CODES: dict[type[errors.ApiError], grpc.StatusCode] = {
    errors.ValidationFailedError: _Code.INVALID_ARGUMENT,
    errors.InvalidPageTokenError: _Code.INVALID_ARGUMENT,
    errors.InvalidApiKeyError: _Code.UNAUTHENTICATED,
    own.WebhookEndpointNotFoundError: _Code.NOT_FOUND,
    own.EventNotFoundError: _Code.NOT_FOUND,
    own.WebhookEndpointLimitError: _Code.FAILED_PRECONDITION,
    own.WebhookEndpointDisabledError: _Code.FAILED_PRECONDITION,
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
