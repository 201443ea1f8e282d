"""Refusals that only this service has. The docstring is the message."""

from pkg.errors import ApiError


class WebhookEndpointNotFoundError(ApiError):
    """There is no such webhook endpoint."""

    reason = "WEBHOOK_ENDPOINT_NOT_FOUND"


class EventNotFoundError(ApiError):
    """There is no such event."""

    reason = "EVENT_NOT_FOUND"


class WebhookEndpointLimitError(ApiError):
    """The merchant has as many webhook endpoints as it can have: delete one first."""

    reason = "WEBHOOK_ENDPOINT_LIMIT"


class WatchLimitError(ApiError):
    """The merchant watches events over as many streams as it can have here: end one first."""

    reason = "WATCH_LIMIT"
    retry_after_seconds = 5


class WatchesFullError(ApiError):
    """Too many requests are under way. Nothing was done; try again."""

    reason = "OVERLOADED"
    retry_after_seconds = 1


class WatchEndedError(ApiError):
    """This server ends: go on from the last cursor."""

    reason = "WATCH_ENDED"
    retry_after_seconds = 1


class WebhookEndpointDisabledError(ApiError):
    """The webhook endpoint is disabled: enable it first."""

    reason = "WEBHOOK_ENDPOINT_DISABLED"
