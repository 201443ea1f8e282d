"""Values to response messages. Events are made in `event_messages.py`, requests read elsewhere."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from paygate.webhooks.v1 import webhook_pb2 as pb
from services.events.endpoints import WebhookEndpoint
from services.events.journal import Delivery


def encode_endpoint(endpoint: WebhookEndpoint) -> pb.WebhookEndpoint:
    """Return the endpoint as merchants see it."""
    return pb.WebhookEndpoint(
        id=endpoint.id,
        url=endpoint.url,
        event_types=endpoint.event_types,
        status=pb.WebhookEndpoint.Status.Value(f"STATUS_{endpoint.status}"),
        description=endpoint.description,
        create_time=_time(endpoint.create_time),
        update_time=_time(endpoint.update_time),
    )


def encode_delivery(delivery: Delivery) -> pb.Delivery:
    """Return the delivery as merchants see it."""
    return pb.Delivery(
        event_id=delivery.event_id,
        endpoint_id=delivery.endpoint_id,
        status=pb.Delivery.Status.Value(f"STATUS_{delivery.status}"),
        attempts=delivery.attempts,
        last_status_code=delivery.last_status_code,
        last_error=delivery.last_error,
        last_attempt_time=_time(delivery.last_attempt_time),
        next_attempt_time=_time(delivery.due_time),
    )


def _time(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
