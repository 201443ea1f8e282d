"""The one table from the bank's errors to what a caller gets."""

import grpc

from pkg.grpc.refusals import Refusal
from services.acquirer.errors import (
    AcquirerError,
    InvalidRequestError,
    NeverError,
    ReferenceReusedError,
    UnreachableError,
)

# Whose errors these are: a caller believes a refusal for good only if the bank itself has made it.
DOMAIN = "acquirer.paygate"

REASONS: dict[type[AcquirerError], tuple[grpc.StatusCode, str]] = {
    InvalidRequestError: (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
    ReferenceReusedError: (grpc.StatusCode.INVALID_ARGUMENT, "REFERENCE_REUSED"),
    NeverError: (grpc.StatusCode.FAILED_PRECONDITION, "NEVER"),
    UnreachableError: (grpc.StatusCode.UNAVAILABLE, "UNREACHABLE"),
}


def refusal_of(problem: Exception) -> Refusal | None:
    """Return what the caller is told; None for anything that is not a refusal but a bug."""
    if not isinstance(problem, AcquirerError):
        return None
    code, reason = REASONS[type(problem)]
    return Refusal(code=code, reason=reason, message=str(problem))
