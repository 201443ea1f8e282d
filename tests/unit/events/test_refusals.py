"""The error table of the events service: every error is in it, with a reason of its own."""

import pytest
from google.rpc.error_details_pb2 import ErrorInfo

from pkg import errors
from services.events import errors as own
from services.events.refusals import CODES, refusal_of

OF_CONTRACT = {
    "VALIDATION_FAILED": "INVALID_ARGUMENT",
    "INVALID_PAGE_TOKEN": "INVALID_ARGUMENT",
    "INVALID_API_KEY": "UNAUTHENTICATED",
    "INSUFFICIENT_SCOPE": "PERMISSION_DENIED",
    "WEBHOOK_ENDPOINT_NOT_FOUND": "NOT_FOUND",
    "EVENT_NOT_FOUND": "NOT_FOUND",
    "WEBHOOK_ENDPOINT_LIMIT": "FAILED_PRECONDITION",
    "WEBHOOK_ENDPOINT_DISABLED": "FAILED_PRECONDITION",
    "RATE_LIMITED": "RESOURCE_EXHAUSTED",
    "WATCH_LIMIT": "RESOURCE_EXHAUSTED",
    "OVERLOADED": "UNAVAILABLE",
    "WATCH_ENDED": "UNAVAILABLE",
    "IDEMPOTENCY_IN_FLIGHT": "ABORTED",
    "IDEMPOTENCY_KEY_REUSED": "FAILED_PRECONDITION",
    "DEPENDENCY_UNAVAILABLE": "UNAVAILABLE",
}


def test_the_table_holds_every_error() -> None:
    """No error of the service, or of what services share, is without a code."""
    kinds = {
        kind
        for module in (errors, own)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, errors.ApiError) and hasattr(kind, "reason")
    }
    assert set(CODES) == kinds
    assert {kind.reason: code.name for kind, code in CODES.items()} == OF_CONTRACT
    messages = [str(kind.__doc__) for kind in CODES]
    assert len(set(messages)) == len(messages)


@pytest.mark.parametrize("kind", CODES, ids=lambda kind: kind.__name__)
def test_every_error_becomes_a_status(kind: type[errors.ApiError]) -> None:
    """Each becomes google.rpc.Status with an ErrorInfo of our domain, its docstring as message."""
    wrong = {"url": "is required"}
    problem = errors.ValidationFailedError(wrong) if "Validation" in kind.__name__ else kind()
    refusal = refusal_of(problem)
    assert refusal is not None
    status, info = refusal.status(), ErrorInfo()
    assert status.message == kind.__doc__
    assert status.details[0].Unpack(info)
    assert (info.domain, info.reason) == ("paygate", kind.reason)


def test_a_bug_is_no_refusal() -> None:
    """Anything else is left to the wall that tells the client nothing but a request id."""
    assert refusal_of(ValueError("secret")) is None
