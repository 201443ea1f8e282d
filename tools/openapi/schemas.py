"""Messages as JSON Schemas: what a request may hold, and what a reply always has."""

from collections.abc import Iterator
from typing import Any, Final, Literal

from google.api import field_behavior_pb2
from google.api.field_behavior_pb2 import OUTPUT_ONLY
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor, OneofDescriptor

from tools.edge.tables import is_required, only_list
from tools.openapi.api import Api, UnsupportedError
from tools.openapi.limits import LIMITS, REQUIRED_GROUPS, SOMETIMES, Schema

Direction = Literal["request", "reply"]
REF: Final = "#/components/schemas/"

_T = FieldDescriptor
_SCALARS: Final[dict[int, Schema]] = {
    _T.TYPE_STRING: {"type": "string"},
    _T.TYPE_BOOL: {"type": "boolean"},
    _T.TYPE_INT32: {"type": "integer", "format": "int32"},
}
# 64 bits are a string in replies, exact in every language; requests may hold a number as well.
_INT64: Final[dict[Direction, Schema]] = {
    "reply": {
        "type": "string",
        "format": "int64",
        "pattern": "^-?[0-9]{1,19}$",
        "examples": ["1000"],
    },
    "request": {"type": ["string", "integer"], "format": "int64"},
}
_TIME_PATTERN: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
    r"(Z|[+-][0-2][0-9]:[0-5][0-9])$"
)
_WELL_KNOWN: Final[dict[str, Schema]] = {
    "google.protobuf.Timestamp": {
        "type": "string",
        "format": "date-time",
        "pattern": _TIME_PATTERN,
        "examples": ["2026-11-28T12:00:00Z"],
    },
    "google.protobuf.Duration": {
        "type": "string",
        "pattern": r"^-?[0-9]{1,12}(\.[0-9]{1,9})?s$",
        "examples": ["90s"],
    },
    "google.protobuf.Struct": {"type": "object"},
}


class Schemas:
    """Makes schemas of messages, and keeps those that others refer to.

    A message is called by its path in its file, as `Payment.Status`. One that requests and replies
    have in common is not the same in both: in requests it has `Input` behind its name.
    """

    def __init__(self, api: Api) -> None:
        self._comments = api.comments
        self._made: dict[str, Schema] = {}
        self._whose: dict[str, str] = {}
        self._in_replies = {
            message.full_name
            for operation in api.operations
            for message in _messages_in(operation.response)
        }

    @property
    def made(self) -> dict[str, Schema]:
        """All that were referred to, by name."""
        return dict(sorted(self._made.items()))

    def reply(self, message: Descriptor) -> Schema:
        """Return a reference to what a reply has."""
        return self._reference(message, "reply")

    def body(self, message: Descriptor, without: tuple[str, ...]) -> Schema:
        """Return a reference to what a body may hold, `without` being given by the path."""
        return self._reference(message, "request", without)

    def field(self, field: FieldDescriptor, direction: Direction) -> Schema:
        """Return what a field may hold, with what is written above it."""
        limits = LIMITS.get(field.full_name, {}) if direction == "request" else {}
        if (message := field.message_type) and message.GetOptions().map_entry:
            value = self.field(message.fields_by_name["value"], direction)
            schema: Schema = {"type": "object", "additionalProperties": value}
        else:
            schema = self._type(field, direction)
        if field.is_repeated and "additionalProperties" not in schema:
            schema = {"type": "array", "items": schema}
        told: Schema = {**schema, **limits}
        if comment := self._comments.get(field.full_name):
            told["description"] = comment
        if OUTPUT_ONLY in field.GetOptions().Extensions[field_behavior_pb2.field_behavior]:
            told["readOnly"] = True
        return told

    def _type(self, field: FieldDescriptor, direction: Direction) -> Schema:
        if field.type in _SCALARS:
            return dict(_SCALARS[field.type])
        if field.type == _T.TYPE_INT64:
            return dict(_INT64[direction])
        if field.enum_type:
            return self._enum(field.enum_type)
        message = field.message_type
        if message is None:
            raise UnsupportedError(f"{field.full_name}: the document has no form for this type")
        if message.full_name in _WELL_KNOWN:
            return dict(_WELL_KNOWN[message.full_name])
        if direction == "request" and (only := only_list(message)):
            return self.field(only, direction)
        return self._reference(message, direction)

    def _reference(
        self, message: Descriptor, direction: Direction, without: tuple[str, ...] = ()
    ) -> Schema:
        name = _name(message)
        if direction == "request" and message.full_name in self._in_replies:
            name += "Input"
        if self._is_new(name, message.full_name + direction):
            self._made[name] = self._object(message, direction, without)
        return {"$ref": REF + name}

    def _is_new(self, name: str, whose: str) -> bool:
        if name not in self._whose:
            self._whose[name] = whose
            return True
        if self._whose[name] != whose:
            raise UnsupportedError(f"{name}: two messages have this name")
        return False

    def _object(
        self, message: Descriptor, direction: Direction, without: tuple[str, ...]
    ) -> Schema:
        fields = [field for field in message.fields if field.name not in without]
        needed = is_required if direction == "request" else _is_always_there
        schema: Schema = {
            "type": "object",
            "description": self._comments[message.full_name],
            "properties": {field.name: self.field(field, direction) for field in fields},
        }
        if required := [field.name for field in fields if needed(field)]:
            schema["required"] = required
        if direction == "request":
            schema["additionalProperties"] = False
            for group in message.oneofs:
                schema |= _group(group)
        return schema

    def _enum(self, enum: EnumDescriptor) -> Schema:
        name = _name(enum)
        if self._is_new(name, enum.full_name):
            # A value's full name has that of the enum's parent before it, not the enum's.
            values = [
                f"- `{value.name}`: {self._comments[f'{enum.full_name}.{value.name}']}"
                for value in enum.values
            ]
            self._made[name] = {
                "type": "string",
                "description": "\n".join([self._comments[enum.full_name], "", *values]),
                "enum": [value.name for value in enum.values],
            }
        return {"$ref": REF + name}


def _name(described: Descriptor | EnumDescriptor) -> str:
    return str(described.full_name.removeprefix(f"{described.file.package}."))


def _messages_in(message: Descriptor) -> Iterator[Descriptor]:
    """Return a message and all in it, which are no circle."""
    yield message
    for field in message.fields:
        if field.message_type and field.message_type.full_name not in _WELL_KNOWN:
            yield from _messages_in(field.message_type)


def _is_always_there(field: FieldDescriptor) -> bool:
    """Tell whether every reply has this field: zeros and empty lists are printed as well."""
    return field.full_name not in SOMETIMES


def _group(group: OneofDescriptor) -> dict[str, Any]:
    """Return what says that fields of a group exclude each other."""
    names = [field.name for field in group.fields]
    if len(names) == 1:  # `optional`
        return {}
    each = [{"title": name, "required": [name]} for name in names]
    if group.full_name in REQUIRED_GROUPS:
        return {"oneOf": each}
    return {"not": {"anyOf": [{"required": list(pair)} for pair in _pairs(names)]}}


def _pairs(names: list[str]) -> Iterator[tuple[str, str]]:
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            yield first, second
