"""The edge and Python's own parser read the same in any body, or refuse it both."""

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.edge import Edge, Upstream
from tests.e2e.edge_replies import WITH_BODY, details, send
from tests.e2e.strict import Binding, reference

SPACE = st.sampled_from(["", "", "", " ", "\n", "\t \r\n"])
STRINGS = st.sampled_from(
    ['""', '"a"', '"\\u00e9 \\ud83d\\ude00"', '"é😀"', '"\\"\\\\\\/\\b\\n"', '"\\u0000"', '"1"']
)
INTEGERS = st.sampled_from(
    [
        "0",
        "-0",
        "1",
        "-5",
        '"7"',
        '"-0"',
        "2147483648",
        '"9223372036854775807"',
        "1.0",
        "1e2",
        '"07"',
    ]
)
OTHERS = st.sampled_from(["null", "true", "false", "{}", "[]", "[1]", "nul", '"x"', "-", "'a'"])
TIMES = st.sampled_from(['"2026-01-01T00:00:00Z"', '"1.5s"', '"60s"', '"never"'])


@st.composite
def objects(draw: st.DrawFn, message: Descriptor, depth: int = 0) -> str:
    """Draw an object for a message: most of it as it should be, some of it not."""
    fields = (
        draw(st.lists(st.sampled_from(list(message.fields)), max_size=4)) if message.fields else []
    )
    parts = []
    for field in fields:
        name = draw(st.sampled_from([field.name, field.name, field.json_name]))
        if draw(st.integers(0, 40)) == 0:
            name = draw(st.sampled_from(["surprise", "x\\u0041", "é", ""]))
        parts.append(
            f'"{name}"{draw(SPACE)}:{draw(SPACE)}{draw(values(field, depth))}{draw(SPACE)}'
        )
    return "{" + draw(SPACE) + f",{draw(SPACE)}".join(parts) + "}"


@st.composite
def values(draw: st.DrawFn, field: FieldDescriptor, depth: int) -> str:
    """Draw a value for a field, seldom of another type."""
    if draw(st.integers(0, 15)) == 0:
        return draw(st.one_of(OTHERS, STRINGS, INTEGERS))
    message = field.message_type
    if field.type == FieldDescriptor.TYPE_BOOL:
        one: st.SearchStrategy[str] = st.sampled_from(["true", "false"])
    elif field.enum_type:
        one = st.sampled_from([f'"{value.name}"' for value in field.enum_type.values] + ["1", "77"])
    elif message and message.full_name.startswith("google.protobuf."):
        one = TIMES
    elif message:
        one = objects(message, depth + 1)
    else:
        one = STRINGS if field.type == FieldDescriptor.TYPE_STRING else INTEGERS
    if not field.is_repeated:
        return draw(one)
    return "[" + ",".join(draw(st.lists(one, max_size=3))) + "]"


@st.composite
def bodies(draw: st.DrawFn) -> tuple[Binding, bytes]:
    """Draw a path and a body for it, with up to two bytes of it changed."""
    binding = draw(st.sampled_from(WITH_BODY))
    body = bytearray(draw(objects(binding.request)).encode())
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        place = draw(st.integers(0, len(body)))
        end = place + draw(st.integers(0, 2))
        body[place:end] = draw(
            st.sampled_from(
                [bytes([byte]) for byte in b"\"'{}[]:,\\0-eu \0\x7f"]
                + [b"", b"\xff", b"\xed\xa0\x80", "é".encode()]
            )
        )
    return binding, bytes(body)


@settings(max_examples=700, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=bodies())
def test_the_edge_and_the_reference_read_the_same(
    edge: Edge, upstream: Upstream, case: tuple[Binding, bytes]
) -> None:
    """Whatever the body: refused by both, or the same message reaches the service."""
    binding, body = case
    before = len(upstream.calls)
    reply = send(edge, binding, body)
    expected = reference(binding, body)
    if expected is None:
        assert (reply.status, len(upstream.calls)) == (400, before), body
        assert details(reply)[0] in {"MALFORMED_REQUEST", "UNKNOWN_FIELD"}
    else:
        assert reply.status == 200, (body, reply.data)
        assert type(expected).FromString(upstream.calls[-1].body) == expected, body
