"""The one table from this service's errors to what a client gets."""

import grpc

from pkg.grpc.refusals import SHARED_CODES, Codes, Refusal, refusal
from services.events import errors as own

_Code = grpc.StatusCode

CODES: Codes = {
    **SHARED_CODES,
    own.WebhookEndpointNotFoundError: _Code.NOT_FOUND,
    own.EventNotFoundError: _Code.NOT_FOUND,
    own.WebhookEndpointLimitError: _Code.FAILED_PRECONDITION,
    own.WebhookEndpointDisabledError: _Code.FAILED_PRECONDITION,
    own.WatchLimitError: _Code.RESOURCE_EXHAUSTED,
    own.WatchesFullError: _Code.UNAVAILABLE,
    own.WatchEndedError: _Code.UNAVAILABLE,
}


def refusal_of(problem: Exception) -> Refusal | None:
    """Return what the client is told; None for anything that is not a refusal but a bug."""
    return refusal(problem, CODES)
