"""The tables of the edge's script say what the protos say, and refuse what they cannot say."""

import pytest
from google.api import annotations_pb2, field_behavior_pb2
from google.api.field_behavior_pb2 import REQUIRED
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)

from tools.edge.tables import UnsupportedError, tables

STRING = FieldDescriptorProto.TYPE_STRING
MESSAGE = FieldDescriptorProto.TYPE_MESSAGE


def file(rule: HttpRule, *fields: FieldDescriptorProto) -> FileDescriptorProto:
    """Return a file with one method, whose request has these fields besides an `id`."""
    made = FileDescriptorProto(name="test.proto", package="test", syntax="proto3")
    request = made.message_type.add(name="Request")
    request.field.add(name="id", json_name="id", number=1, type=STRING)
    request.field.extend(fields)
    method = made.service.add(name="Service").method.add(name="Call", input_type=".test.Request")
    method.output_type = ".test.Request"
    method.options.Extensions[annotations_pb2.http].CopyFrom(rule)
    return made


def field(kind: FieldDescriptorProto.Type.ValueType, type_name: str = "") -> FieldDescriptorProto:
    """Return a field of this type."""
    return FieldDescriptorProto(
        name="the_field", json_name="theField", number=2, type=kind, type_name=type_name or None
    )


POST = HttpRule(post="/call", body="*")


def test_both_spellings_lead_to_one_field() -> None:
    """A field has one table, under the proto's name and under JSON's."""
    lines = tables([file(POST, field(FieldDescriptorProto.TYPE_UINT64))]).splitlines()
    assert (
        'fields["the_field"] = {name = "the_field", kind = "integer", low = "0", '
        'high = "18446744073709551615"}'
    ) in lines
    assert 'fields["theField"] = fields["the_field"]' in lines
    whole = '{fields = MESSAGES["test.Request"], body = true, empty = true}'
    assert f'bind("POST", "/call", {whole})' in lines


def test_a_body_may_be_missing_only_where_nothing_is_required() -> None:
    """A required field wants one, unless it stands in the path."""
    required = field(FieldDescriptorProto.TYPE_STRING)
    required.options.Extensions[field_behavior_pb2.field_behavior].append(REQUIRED)
    assert "empty" not in tables([file(POST, required)])
    in_path = HttpRule(post="/call/{the_field}", body="*")
    assert "empty = true" in tables([file(in_path, required)])


def test_a_field_of_the_path_is_taken_out() -> None:
    """What the path gives cannot be given by a body or a query; a verb may follow it."""
    said = tables([file(HttpRule(get="/call/{id}:now"))])
    assert (
        'bind("GET", "/call/{id}:now", '
        '{fields = given_by_path(MESSAGES["test.Request"], "id"), body = false})'
    ) in said


def test_a_message_that_is_a_list_is_told() -> None:
    """One with a single list of texts may be written as that; no other message may."""
    made = file(POST, field(MESSAGE, ".test.Names"))
    names = made.message_type.add(name="Names")
    many = FieldDescriptorProto.LABEL_REPEATED
    names.field.add(name="names", json_name="names", number=1, type=STRING, label=many)
    told = ', list = "names"}'
    assert told in tables([made])

    names.field.add(name="more", json_name="more", number=2, type=STRING, label=many)
    assert told not in tables([made])


@pytest.mark.parametrize(
    "kind",
    [
        FieldDescriptorProto.TYPE_DOUBLE,
        FieldDescriptorProto.TYPE_FLOAT,
        FieldDescriptorProto.TYPE_BYTES,
    ],
)
def test_a_type_without_a_rule_is_refused(kind: FieldDescriptorProto.Type.ValueType) -> None:
    """A type that the script could not check stops the generator, and is not let through."""
    with pytest.raises(UnsupportedError, match=r"Request\.the_field"):
        tables([file(POST, field(kind))])


def test_a_map_is_refused() -> None:
    """A map's keys are anybody's: it needs a rule of its own."""
    made = file(POST, field(MESSAGE, ".test.Request.TheFieldEntry"))
    entry = DescriptorProto(name="TheFieldEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=STRING)
    entry.field.add(name="value", number=2, type=STRING)
    made.message_type[0].nested_type.append(entry)
    made.message_type[0].field[1].label = FieldDescriptorProto.LABEL_REPEATED
    with pytest.raises(UnsupportedError, match="the_field"):
        tables([made])


@pytest.mark.parametrize(
    "rule",
    [
        HttpRule(get="/call/{id=things/*}"),
        HttpRule(get="/call/**"),
        HttpRule(get="/call/{nothing}"),
        HttpRule(get="/call/a{id}"),
        HttpRule(post="/call", body="id"),
        HttpRule(post="/call", body="*", response_body="id"),
    ],
    ids=str,
)
def test_a_path_without_a_rule_is_refused(rule: HttpRule) -> None:
    """So is a form of path or body that the script does not know."""
    with pytest.raises(UnsupportedError, match="/call"):
        tables([file(rule)])


def test_a_message_in_a_query_is_refused() -> None:
    """A query has scalars only."""
    with pytest.raises(UnsupportedError, match="the_field in a query"):
        tables([file(HttpRule(get="/call"), field(MESSAGE, ".test.Request"))])
