"""What the sandbox's inbox holds; services/events/inbox.py puts it there."""

from collections.abc import Mapping
from datetime import datetime

from pkg.grpc.messages import Fields, time_fields
from pkg.values import value


@value(frozen=True, slots=True, kw_only=True)
class InboxMessage:
    """What one attempt to deliver an event would have posted."""

    id: str
    create_time: datetime
    endpoint_id: str
    event_id: str
    status_code: int
    headers: Mapping[str, str]
    body: str


def message_fields(message: InboxMessage) -> Fields:
    """Return the message as merchants see it: a paygate.sandbox.v1.InboxMessage."""
    return {
        "id": message.id,
        "create_time": time_fields(message.create_time),
        "endpoint_id": message.endpoint_id,
        "event_id": message.event_id,
        "status_code": message.status_code,
        "headers": message.headers,
        "body": message.body,
    }
