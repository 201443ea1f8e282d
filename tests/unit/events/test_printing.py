"""What is posted is what json_format prints, byte for byte."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import any_pb2, json_format, struct_pb2, type_pb2, wrappers_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from paygate.events.v1.event_pb2 import PaymentEvent
from paygate.webhooks.v1 import webhook_pb2 as pb
from services.events.event_messages import body_of, event_fields
from services.events.printing import printer_of

NUMBERS = {
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, 2**64 - 1),
}
TEXTS = st.one_of(
    st.text(max_size=20), st.sampled_from(['"', "\\", "\x00\x1f", "Grüße\u2028", "</a>"])
)
NANOS = st.one_of(
    st.just(0),
    st.integers(0, 999).map(lambda ms: ms * 10**6),
    st.integers(0, 999_999).map(lambda us: us * 1000),
    st.integers(0, 10**9 - 1),
)
TIMES = st.builds(Timestamp, seconds=st.integers(-62_135_596_800, 253_402_300_799), nanos=NANOS)
# One message of each type that is printed, and what its fields are printed from.
PRINTED = [PaymentEvent.DESCRIPTOR, pb.Event.DESCRIPTOR, pb.Delivery.DESCRIPTOR]


def printed(message: Message) -> bytes:
    """Return what json_format prints, as the REST API does."""
    fields = json_format.MessageToDict(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def messages(descriptor: Descriptor) -> st.SearchStrategy[Any]:
    """Return messages with any of their fields, each set, unset or the default."""
    if descriptor.full_name == Timestamp.DESCRIPTOR.full_name:
        return TIMES
    fields = {field.name: values(field) for field in descriptor.fields}
    return st.fixed_dictionaries({}, optional=fields).map(
        lambda chosen: GetMessageClass(descriptor)(**chosen)
    )


def values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    """Return what a field can hold."""
    one = value(field)
    return st.lists(one, max_size=2) if field.is_repeated else one


def value(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    """Return one value; of enums also a number that has no name yet."""
    if field.enum_type:
        return st.sampled_from([*field.enum_type.values_by_number, 9_999])
    if field.message_type:
        return messages(field.message_type)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    return NUMBERS.get(field.type, TEXTS)


@pytest.mark.parametrize("descriptor", PRINTED, ids=lambda descriptor: descriptor.name)
def test_every_message_is_printed_as_json_format_does(descriptor: Descriptor) -> None:
    """Whatever is set of it, and of what it holds."""
    show: Callable[[Any], str] = printer_of(descriptor)

    @settings(max_examples=300, deadline=None)
    @given(messages(descriptor))
    def holds(message: Message) -> None:
        assert show(message).encode() == printed(message)

    holds()


@settings(max_examples=300, deadline=None)
@given(messages(PaymentEvent.DESCRIPTOR))
def test_a_body_is_the_public_event(stored: PaymentEvent) -> None:
    """Printed from what is stored, without its being made first."""
    payload = stored.SerializeToString()
    assert body_of(payload) == printed(pb.Event(**event_fields(payload)))


def test_what_is_no_time_is_refused() -> None:
    """As json_format does."""
    for time in (Timestamp(seconds=2**60), Timestamp(nanos=-1)):
        message = pb.Event(create_time=time)
        with pytest.raises(ValueError, match="Timestamp"):
            printer_of(pb.Event.DESCRIPTOR)(message)
        with pytest.raises(json_format.SerializeToJsonError):
            printed(message)


@pytest.mark.parametrize(
    "kind",
    [
        any_pb2.Any,
        struct_pb2.Struct,
        wrappers_pb2.BytesValue,
        wrappers_pb2.DoubleValue,
        type_pb2.Type,
    ],
    ids=lambda kind: kind.DESCRIPTOR.name,
)
def test_what_nothing_prints_is_found_when_a_printer_is_made(kind: type[Message]) -> None:
    """Not when the first event has it."""
    with pytest.raises(TypeError, match="nothing prints"):
        printer_of(kind.DESCRIPTOR)
