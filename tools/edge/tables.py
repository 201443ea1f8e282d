"""What a request may have, from the descriptors to tables of Lua."""

from collections.abc import Iterable, Iterator
from typing import Final

from google.api import annotations_pb2, field_behavior_pb2
from google.api.field_behavior_pb2 import REQUIRED
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorProto, MethodDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool

# The digits of the least and the greatest value.
_INT32 = ("2147483648", "2147483647")
_INT64 = ("9223372036854775808", "9223372036854775807")
_UINT32 = ("0", "4294967295")
_UINT64 = ("0", "18446744073709551615")
_LIMITS: Final = {
    **dict.fromkeys(
        (FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_SINT32, FieldDescriptor.TYPE_SFIXED32),
        _INT32,
    ),
    **dict.fromkeys(
        (FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_SINT64, FieldDescriptor.TYPE_SFIXED64),
        _INT64,
    ),
    **dict.fromkeys((FieldDescriptor.TYPE_UINT32, FieldDescriptor.TYPE_FIXED32), _UINT32),
    **dict.fromkeys((FieldDescriptor.TYPE_UINT64, FieldDescriptor.TYPE_FIXED64), _UINT64),
}
# Strings in JSON.
_STRINGS: Final = {
    "google.protobuf.Timestamp": "time",
    "google.protobuf.Duration": "duration",
    "google.protobuf.FieldMask": "string",  # whether it is well-formed the transcoder says
}


class UnsupportedError(Exception):
    """The edge has no rule for something in the protos: write one before it is public."""


def tables(files: Iterable[FileDescriptorProto]) -> str:
    """Return the Lua that fills MESSAGES and binds every method with a REST path.

    Raises:
        UnsupportedError: A request has a field, or a method a path, that the edge cannot check.
    """
    pool, rules = DescriptorPool(), list[tuple[str, HttpRule, bool]]()
    for file in files:
        pool.Add(file)
        for service in file.service:
            for method in service.method:
                name, streams = method.input_type.removeprefix("."), method.server_streaming
                rules += [(name, rule, streams) for rule in _rules(method)]
    found = dict[str, Descriptor]()
    for name in {name for name, _, _ in rules}:
        _collect(pool.FindMessageTypeByName(name), found)
    bindings = (_binding(found[name], rule, streams) for name, rule, streams in rules)
    return "\n".join([*_messages(found), *bindings])


def _rules(method: MethodDescriptorProto) -> Iterator[HttpRule]:
    rule = method.options.Extensions[annotations_pb2.http]
    if rule.WhichOneof("pattern"):
        yield rule
        yield from rule.additional_bindings


def _collect(message: Descriptor, found: dict[str, Descriptor]) -> None:
    """Add a message and those in it."""
    if message.full_name in found:
        return
    found[message.full_name] = message
    for field in message.fields:
        if field.message_type and field.message_type.full_name not in _STRINGS:
            _collect(field.message_type, found)


def _messages(found: dict[str, Descriptor]) -> Iterator[str]:
    """Return all messages: first each by its name, since they refer to each other."""
    for name in sorted(found):
        yield f'MESSAGES["{name}"] = {{}}'
    for name, message in sorted(found.items()):
        yield f'\nfields = MESSAGES["{name}"]'
        for field in message.fields:
            yield f'fields["{field.name}"] = {{{_field(field)}}}'
            if field.json_name != field.name:
                yield f'fields["{field.json_name}"] = fields["{field.name}"]'
    yield ""


def _field(field: FieldDescriptor) -> str:
    told = [f'name = "{field.name}"', _kind(field)]
    if field.is_repeated:
        told.append("repeated = true")
    oneof = field.containing_oneof
    if oneof and not (len(oneof.fields) == 1 and oneof.name == f"_{field.name}"):  # `optional`
        told.append(f'oneof = "{oneof.name}"')
    return ", ".join(told)


def _kind(field: FieldDescriptor) -> str:
    message = field.message_type
    if message and message.full_name in _STRINGS:
        return f'kind = "{_STRINGS[message.full_name]}"'
    if field.type == FieldDescriptor.TYPE_STRING:
        return 'kind = "string"'
    if field.type == FieldDescriptor.TYPE_BOOL:
        return 'kind = "boolean"'
    if field.type in _LIMITS:
        low, high = _LIMITS[field.type]
        return f'kind = "integer", low = "{low}", high = "{high}"'
    if field.enum_type:
        names = ", ".join(f'["{value.name}"] = {value.number}' for value in field.enum_type.values)
        low, high = _INT32
        said = ", ".join(value.name for value in field.enum_type.values if value.number)
        return (
            f'kind = "enum", low = "{low}", high = "{high}", names = {{{names}}}, '
            f'expected = "must be one of {said}"'
        )
    if message and field.type == FieldDescriptor.TYPE_MESSAGE and _is_plain(message):
        return f'kind = "message", fields = MESSAGES["{message.full_name}"]{_list(message)}'
    raise UnsupportedError(f"{field.full_name}: the edge has no rule for this type")


def _list(message: Descriptor) -> str:
    """Return what says that a message is a list of texts or numbers and nothing else, if it is.

    It is there so that an empty list can be told from none; in JSON it may be written as the list.
    """
    only = only_list(message)
    return f', list = "{only.name}"' if only else ""


def only_list(message: Descriptor) -> FieldDescriptor | None:
    """Return the field of a message that is a list and nothing else: in JSON it is that list."""
    only = message.fields[0] if len(message.fields) == 1 else None
    return only if only is not None and only.is_repeated and not only.message_type else None


def _is_plain(message: Descriptor) -> bool:
    is_map = message.GetOptions().map_entry
    return not is_map and not message.full_name.startswith("google.protobuf.")


def _binding(message: Descriptor, rule: HttpRule, streams: bool) -> str:
    verb = rule.WhichOneof("pattern")
    assert verb
    path: str = getattr(rule, verb)
    fields, in_path = f'MESSAGES["{message.full_name}"]', set[str]()
    for segment in path.split("/"):
        name, brace, end = segment.removeprefix("{").partition("}")
        if not segment.startswith("{"):
            supported = not set("{}*") & set(segment)
        else:
            supported = brace == "}" and name in message.fields_by_name and end[:1] in {"", ":"}
            fields = f'given_by_path({fields}, "{name}")'
            in_path.add(name)
        if not supported:
            raise UnsupportedError(f"{path}: the edge has no rule for this path")
    if rule.body not in {"", "*"} or rule.response_body:
        raise UnsupportedError(f"{path}: the edge reads whole messages only")
    if not rule.body:
        _check_parameters(message, path)
    told = [f"fields = {fields}", f"body = {'true' if rule.body else 'false'}"]
    if rule.body and not _required(message) - in_path:
        told.append("empty = true")
    if streams:
        told.append("streams = true")
    return f'bind("{verb.upper()}", "{path}", {{{", ".join(told)}}})'


def _required(message: Descriptor) -> set[str]:
    """Return the names of the fields without which a request is refused."""
    return {field.name for field in message.fields if is_required(field)}


def is_required(field: FieldDescriptor) -> bool:
    """Tell whether a request without this field is refused."""
    return REQUIRED in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]


def _check_parameters(message: Descriptor, path: str) -> None:
    for field in message.fields:
        if field.message_type and field.message_type.full_name not in _STRINGS:
            raise UnsupportedError(f"{path}: the edge has no rule for {field.name} in a query")
