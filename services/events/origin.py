"""What is done with an event, in the trace of the request that made it."""

from contextlib import AbstractContextManager

from pkg.observe.tracing import Kind, Span, Tracer
from services.events.event_messages import origin_of


def event_span(
    tracer: Tracer, name: str, payload: bytes, *, event_id: str, kind: Kind
) -> AbstractContextManager[Span]:
    """Record what is done with an event; in a trace of its own where the event belongs to none.

    Raises:
        google.protobuf.message.DecodeError: The payload is no event.
    """
    request_id, traceparent = origin_of(payload)
    attributes = {"paygate.event_id": event_id, "paygate.request_id": request_id}
    return tracer.span(
        name,
        kind=kind,
        attributes={key: value for key, value in attributes.items() if value},
        parent=traceparent,
    )
