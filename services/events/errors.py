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


class WebhookEndpointDisabledError(ApiError):
    """The webhook endpoint is disabled: enable it first."""

    reason = "WEBHOOK_ENDPOINT_DISABLED"
