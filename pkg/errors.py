"""Refusals that a client can get from any service, with their stable reasons; and the operator's.

A refusal's docstring is its message. Each service has more of its own, and a table of what they
become.
"""

from typing import ClassVar


class MisconfiguredError(Exception):
    """Something that the settings name can't be used; the message says what, for the operator."""


class ApiError(Exception):
    """The request was refused."""

    reason: ClassVar[str]
    retry_after_seconds: int | None = None
    unauthenticated: bool = False

    def __init__(self, **metadata: str) -> None:
        self.metadata = metadata
        self.violations: dict[str, str] = {}
        super().__init__((type(self).__doc__ or "").strip())


class ValidationFailedError(ApiError):
    """The request is not valid."""

    reason = "VALIDATION_FAILED"

    def __init__(self, violations: dict[str, str]) -> None:
        """Take what is wrong by the field's path in the request. No value is ever repeated."""
        super().__init__()
        self.violations.update(violations)


class InvalidPageTokenError(ApiError):
    """The page token was not made by this list with these filters."""

    reason = "INVALID_PAGE_TOKEN"


class InvalidApiKeyError(ApiError):
    """The API key is not valid: it is sent as `authorization: Bearer sk_…`."""

    reason = "INVALID_API_KEY"
    unauthenticated = True


class MissingApiKeyError(InvalidApiKeyError):
    """There is no API key: send it as `authorization: Bearer sk_…`."""


class InsufficientScopeError(ApiError):
    """The API key may not be used for this call."""

    reason = "INSUFFICIENT_SCOPE"


class RateLimitedError(ApiError):
    """There were too many requests. Nothing was done; try again later."""

    reason = "RATE_LIMITED"

    def __init__(self, *, retry_after_seconds: int = 1, unauthenticated: bool = False) -> None:
        """Take after how many whole seconds a request goes through, and whether it had no key."""
        super().__init__()
        self.retry_after_seconds = retry_after_seconds
        self.unauthenticated = unauthenticated


class IdempotencyInFlightError(ApiError):
    """A request with this idempotency key is still running. Try again with the same key."""

    reason = "IDEMPOTENCY_IN_FLIGHT"
    retry_after_seconds = 1


class IdempotencyKeyReusedError(ApiError):
    """This idempotency key was used with another request."""

    reason = "IDEMPOTENCY_KEY_REUSED"


class DependencyUnavailableError(ApiError):
    """Something the gateway needs is not available. Try again with the same idempotency key."""

    reason = "DEPENDENCY_UNAVAILABLE"
    retry_after_seconds = 1
