"""The error table of the admin API: every error is in it, with a reason of its own."""

import grpc

from pkg import errors
from services.payments.admin import errors as own
from services.payments.admin.refusals import CODES, refusal_of
from tools.stack.settings import REPOSITORY

OF_CONTRACT = {
    "VALIDATION_FAILED": "INVALID_ARGUMENT",
    "INVALID_PAGE_TOKEN": "INVALID_ARGUMENT",
    "IDEMPOTENCY_IN_FLIGHT": "ABORTED",
    "IDEMPOTENCY_KEY_REUSED": "FAILED_PRECONDITION",
    "DEPENDENCY_UNAVAILABLE": "UNAVAILABLE",
    "INVALID_ADMIN_TOKEN": "UNAUTHENTICATED",
    "MERCHANT_NOT_FOUND": "NOT_FOUND",
    "MERCHANT_EXISTS": "ALREADY_EXISTS",
    "API_KEY_NOT_FOUND": "NOT_FOUND",
    "API_KEY_LIMIT": "FAILED_PRECONDITION",
    "API_KEY_ENDED": "FAILED_PRECONDITION",
    "ACTION_NOT_IN_DOUBT": "NOT_FOUND",
    "ACTION_NOT_STUCK": "FAILED_PRECONDITION",
    "VAULT_NOT_OPEN": "FAILED_PRECONDITION",
    "OLD_VAULT_KEYS_IN_USE": "FAILED_PRECONDITION",
}


def test_the_table_holds_every_error() -> None:
    """No error of the admin API is without a code."""
    kinds = {
        kind
        for kind in vars(own).values()
        if isinstance(kind, type) and issubclass(kind, errors.ApiError) and hasattr(kind, "reason")
    }
    assert kinds <= set(CODES)
    assert {kind.reason: code.name for kind, code in CODES.items()} == OF_CONTRACT
    assert len({kind.__doc__ for kind in CODES}) == len(CODES)


def test_a_bug_is_no_refusal() -> None:
    """Anything else is left to the wall that tells nothing but a request id."""
    assert refusal_of(ValueError("secret")) is None
    assert grpc.StatusCode.INTERNAL not in CODES.values()


def test_every_reason_is_documented() -> None:
    """operations.md names each refusal that only the operator can get."""
    text = (REPOSITORY / "docs" / "operations.md").read_text()
    for kind in CODES:
        if kind.__module__ == own.__name__:
            assert f"`{kind.reason}`" in text
