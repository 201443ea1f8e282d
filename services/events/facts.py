"""Events as merchants see them: from what the outbox holds to the public message and its JSON."""

import json

from google.protobuf import json_format

from paygate.events.v1.event_pb2 import PaymentEvent
from paygate.webhooks.v1 import webhook_pb2 as pb


def event_of(payload: bytes) -> pb.Event:
    """Return the public event of a serialised paygate.events.v1.PaymentEvent.

    Raises:
        google.protobuf.message.DecodeError: It is not one.
    """
    stored = PaymentEvent.FromString(payload)
    return pb.Event(
        id=stored.id,
        type=stored.type,
        data=pb.EventData(payment=stored.payment, action=stored.action),
        sequence=stored.sequence,
        create_time=stored.create_time,
    )


def origin_of(payload: bytes) -> tuple[str, str]:
    """Return the request that made an event, by its id and its `traceparent`; both may be empty.

    Raises:
        google.protobuf.message.DecodeError: It is no event.
    """
    stored = PaymentEvent.FromString(payload)
    return stored.request_id, stored.traceparent


def body_of(event: pb.Event) -> bytes:
    """Return the JSON that is signed and posted, printed as the REST API prints.

    The same event gives the same bytes, for every attempt.
    """
    fields = json_format.MessageToDict(
        event, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
