"""Request messages to checked values. Every violation is found at once; no value is repeated."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from paygate.webhooks.v1 import webhook_pb2 as pb
from paygate.webhooks.v1 import webhook_service_pb2 as service
from pkg.grpc.validation import Checks, one_of
from pkg.ids import is_id
from pkg.process.mode import Mode
from services.events.delivery_queue import Status
from services.events.endpoints import EndpointChange, EndpointStatus, NewEndpoint
from services.events.errors import EventNotFoundError, WebhookEndpointNotFoundError
from services.events.event_messages import TEST_TYPE
from services.events.journal import EventFilter
from services.events.target import check_url

# What can become true of a payment, as proto/api/paygate/webhooks/v1/webhook.proto lists it.
EVENT_TYPES = (
    "payment.authorized",
    "payment.declined",
    "payment.failed",
    "payment.captured",
    "payment.capture_declined",
    "payment.capture_failed",
    "payment.voided",
    "payment.remainder_voided",
    "payment.void_declined",
    "payment.void_failed",
    "payment.refunded",
    "payment.refund_declined",
    "payment.refund_failed",
    "payment.expired",
)
LISTED_TYPES = (*EVENT_TYPES, TEST_TYPE)
OVERLAP_SECONDS_MAX, OVERLAP_SECONDS_DEFAULT = 604_800, 86_400


def new_endpoint_of(request: service.CreateWebhookEndpointRequest, mode: Mode) -> NewEndpoint:
    """Return what to make, or raise ValidationFailedError with all that is wrong."""
    checks = Checks()
    wanted = NewEndpoint(
        url=_url(checks, request.url, mode),
        event_types=_event_types(checks, "event_types", request.event_types),
        description=checks.text("description", request.description),
    )
    checks.end()
    return wanted


def change_of(
    request: service.UpdateWebhookEndpointRequest, mode: Mode
) -> tuple[str, EndpointChange]:
    """Return the endpoint's id and what to change, or raise with all that is wrong."""
    checks = Checks()
    types = request.event_types.types if request.HasField("event_types") else None
    description = request.description if request.HasField("description") else None
    change = EndpointChange(
        url=_url(checks, request.url, mode) if request.HasField("url") else None,
        event_types=None if types is None else _event_types(checks, "event_types", types),
        status=checks.status(request.status, pb.WebhookEndpoint.Status, EndpointStatus),
        description=None if description is None else checks.text("description", description),
    )
    return _endpoint_id(checks, "id", request.id), change


def endpoint_id_of(
    request: service.GetWebhookEndpointRequest
    | service.DeleteWebhookEndpointRequest
    | service.SendTestEventRequest,
) -> str:
    """Return the id, or raise WebhookEndpointNotFoundError where it can be none."""
    return _endpoint_id(Checks(), "id", request.id)


def rotation_of(request: service.RotateWebhookSecretRequest) -> tuple[str, timedelta]:
    """Return the endpoint's id, and for how long older secrets sign as well."""
    checks = Checks()
    seconds = OVERLAP_SECONDS_DEFAULT
    if request.HasField("overlap_seconds"):
        seconds = request.overlap_seconds
    if not 0 <= seconds <= OVERLAP_SECONDS_MAX:
        checks.add("overlap_seconds", f"must be from 0 to {OVERLAP_SECONDS_MAX}")
    return _endpoint_id(checks, "id", request.id), timedelta(seconds=seconds)


def endpoints_page_of(request: service.ListWebhookEndpointsRequest) -> int:
    """Return the size of the page."""
    checks = Checks()
    size = checks.page_size(request.page_size)
    checks.end()
    return size


def filter_of(request: service.ListEventsRequest) -> tuple[EventFilter, int]:
    """Return the filter and the size of the page."""
    checks = Checks()
    size = checks.page_size(request.page_size)
    wanted = _filter(checks, request)
    made = checks.period(request)
    checks.end()
    return replace(wanted, made=made), size


def watched_of(request: service.WatchEventsRequest) -> EventFilter:
    """Return which events to watch."""
    checks = Checks()
    wanted = _filter(checks, request)
    checks.end()
    return wanted


def event_id_of(request: service.GetEventRequest) -> str:
    """Return the id, or raise EventNotFoundError where it can be none."""
    return _event_id(Checks(), request.id)


def deliveries_page_of(request: service.ListDeliveriesRequest) -> tuple[str, int]:
    """Return the event's id and the size of the page."""
    checks = Checks()
    size = checks.page_size(request.page_size)
    return _event_id(checks, request.id), size


def endpoint_deliveries_page_of(
    request: service.ListEndpointDeliveriesRequest,
) -> tuple[str, Status | None, int]:
    """Return the endpoint's id, the status that is wanted or None, and the size of the page."""
    checks = Checks()
    size = checks.page_size(request.page_size)
    status = checks.status(request.status, pb.Delivery.Status, Status)
    return _endpoint_id(checks, "id", request.id), status, size


def attempts_page_of(request: service.ListDeliveryAttemptsRequest) -> tuple[str, str, int]:
    """Return the event's id, the endpoint's, and the size of the page."""
    checks = Checks()
    size = checks.page_size(request.page_size)
    if not request.endpoint_id:
        checks.add("endpoint_id", "is required")
    event_id = _event_id(checks, request.id)
    return event_id, _endpoint_id(checks, "endpoint_id", request.endpoint_id), size


def redelivery_of(request: service.RedeliverEventRequest) -> tuple[str, str]:
    """Return the event's id, and the endpoint's or nothing."""
    event_id = _event_id(Checks(), request.id)
    if request.endpoint_id and not is_id("we", request.endpoint_id):
        raise WebhookEndpointNotFoundError
    return event_id, request.endpoint_id


def failed_redelivery_of(request: service.RedeliverFailedEventsRequest) -> tuple[str, datetime]:
    """Return the endpoint's id, and since when."""
    checks = Checks()
    since = checks.time("since", request.since)
    if not request.HasField("since"):
        checks.add("since", "is required")
    endpoint_id = _endpoint_id(checks, "id", request.id)
    assert since is not None  # or the checks would not have ended well
    return endpoint_id, since


def _filter(
    checks: Checks, request: service.ListEventsRequest | service.WatchEventsRequest
) -> EventFilter:
    checks.no_empty_filter(request, "payment_id", "type")
    if request.payment_id and not is_id("pay", request.payment_id):
        checks.add("payment_id", "must be the id of a payment")
    if request.type and request.type not in LISTED_TYPES:
        checks.add("type", one_of(LISTED_TYPES))
    return EventFilter(payment_id=request.payment_id, type=request.type)


def _url(checks: Checks, url: str, mode: Mode) -> str:
    if problem := check_url(url, mode) if url else "is required":
        checks.add("url", problem)
    return url


def _event_types(checks: Checks, field: str, types: Sequence[str]) -> Sequence[str]:
    if not set(types) <= set(EVENT_TYPES):
        checks.add(field, f"each {one_of(EVENT_TYPES)}")
    if len(set(types)) < len(types):
        checks.add(field, "must not hold one of them twice")
    return tuple(types)


def _endpoint_id(checks: Checks, field: str, endpoint_id: str) -> str:
    """Ends the checks: what is no id cannot be found, but the rest of the request comes first."""
    if not endpoint_id:
        checks.add(field, "is required")
    checks.end()
    if not is_id("we", endpoint_id):
        raise WebhookEndpointNotFoundError
    return endpoint_id


def _event_id(checks: Checks, event_id: str) -> str:
    """Ends the checks, as above."""
    if not event_id:
        checks.add("id", "is required")
    checks.end()
    if not is_id("evt", event_id):
        raise EventNotFoundError
    return event_id
