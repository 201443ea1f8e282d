"""Values to response messages. Events are made in `event_messages.py`, requests read elsewhere."""

from paygate.webhooks.v1 import webhook_pb2 as pb
from pkg.grpc.messages import Fields, duration_fields, time_fields
from services.events.deliveries import Delivery, KeptAttempt
from services.events.delivery_queue import Status
from services.events.endpoints import WebhookEndpoint

# Looked up once: a name is put together and searched for at each use otherwise.
_DELIVERY_STATUSES = {one: pb.Delivery.Status.Value(f"STATUS_{one}") for one in Status}


def encode_endpoint(endpoint: WebhookEndpoint) -> pb.WebhookEndpoint:
    """Return the endpoint as merchants see it."""
    return pb.WebhookEndpoint(
        id=endpoint.id,
        url=endpoint.url,
        event_types=endpoint.event_types,
        status=pb.WebhookEndpoint.Status.Value(f"STATUS_{endpoint.status}"),
        description=endpoint.description,
        create_time=time_fields(endpoint.create_time),
        update_time=time_fields(endpoint.update_time),
    )


def delivery_fields(delivery: Delivery) -> Fields:
    """Return the delivery as merchants see it: a paygate.webhooks.v1.Delivery."""
    fields = {
        "event_id": delivery.event_id,
        "endpoint_id": delivery.endpoint_id,
        "status": _DELIVERY_STATUSES[delivery.status],
        "attempts": delivery.attempts,
        "last_status_code": delivery.last_status_code,
        "last_error": delivery.last_error,
        "event_type": delivery.event_type,
        "payment_id": delivery.payment_id,
        "create_time": time_fields(delivery.create_time),
    }
    if delivery.last_attempt_time is not None:
        fields["last_attempt_time"] = time_fields(delivery.last_attempt_time)
    if delivery.due_time is not None:
        fields["next_attempt_time"] = time_fields(delivery.due_time)
    return fields


def attempt_fields(attempt: KeptAttempt) -> Fields:
    """Return the attempt as merchants see it: a paygate.webhooks.v1.DeliveryAttempt."""
    return {
        "number": attempt.number,
        "create_time": time_fields(attempt.create_time),
        "duration": duration_fields(attempt.duration),
        "status_code": attempt.status_code,
        "error": attempt.error,
        "reply": attempt.reply,
    }
