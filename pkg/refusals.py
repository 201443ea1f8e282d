"""From our errors to what a client gets: the one way, and the codes that all services share."""

from collections.abc import Mapping

import grpc

from pkg import errors
from pkg.rpc import Refusal

Codes = Mapping[type[errors.ApiError], grpc.StatusCode]

SHARED_CODES: Codes = {
    errors.ValidationFailedError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.InvalidPageTokenError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.InvalidApiKeyError: grpc.StatusCode.UNAUTHENTICATED,
    errors.RateLimitedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.InsufficientScopeError: grpc.StatusCode.PERMISSION_DENIED,
    errors.IdempotencyInFlightError: grpc.StatusCode.ABORTED,
    errors.IdempotencyKeyReusedError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.DependencyUnavailableError: grpc.StatusCode.UNAVAILABLE,
}


def refusal(problem: Exception, codes: Codes) -> Refusal | None:
    """Return what the client is told; None for anything that is not a refusal but a bug."""
    if not isinstance(problem, errors.ApiError):
        return None
    return Refusal(
        code=codes[type(problem)],
        reason=problem.reason,
        message=str(problem),
        metadata=problem.metadata,
        violations=problem.violations,
        retry_after_seconds=problem.retry_after_seconds,
        unauthenticated=problem.unauthenticated,
    )
