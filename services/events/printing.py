"""JSON of messages as `json_format` prints it, by functions written once for each message type.

`json_format` asks the descriptors anew for each message: a third of a delivery. What no event has
(maps, floating point, bytes, `Any`) is refused when a function is written.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache, lru_cache
from json.encoder import encode_basestring
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.timestamp_pb2 import Timestamp

Show = Callable[[Any], str]

string_text = encode_basestring

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # its text has no zone; what is printed is UTC
# Years 1 to 9999.
_SECONDS_MIN, _SECONDS_MAX = -62_135_596_800, 253_402_300_799

_NUMBERS = {FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_UINT32}
_LONG_NUMBERS = {FieldDescriptor.TYPE_INT64, FieldDescriptor.TYPE_UINT64}


@cache
def printer_of(descriptor: Descriptor) -> Show:
    """Return what prints messages of a type, with the proto's names and what has no presence.

    Fields that are set come first, by their numbers; then those without presence that are not, as
    they are declared.

    Raises:
        TypeError: It has a field that nothing here prints.
    """
    scope: dict[str, Any] = {}
    parts = []
    for field in sorted(descriptor.fields, key=lambda field: field.number):
        name = field.name
        scope[f"show_{name}"] = _show_of(field)
        is_set = f"message.HasField({name!r})" if field.has_presence else f"message.{name}"
        text = "f'," + f'"{name}":' + "{show_" + name + "(message." + name + ")}'"
        parts.append(f"{text} if {is_set} else ''")
    for field in descriptor.fields:
        if not field.has_presence:
            text = f',"{field.name}":{_show_of(field)(field.default_value)}'
            parts.append(f"'' if message.{field.name} else {text!r}")
    lines = ["def show(message):", f" return '{{' + ''.join(({', '.join(parts)},))[1:] + '}}'"]
    exec("\n".join(lines), scope)  # noqa: S102  # names of fields of our own protos
    show: Show = scope["show"]
    return show


def time_text(time: Timestamp) -> str:
    """Return a timestamp's JSON."""
    seconds, nanos = time.seconds, time.nanos
    if not _SECONDS_MIN <= seconds <= _SECONDS_MAX or not 0 <= nanos < 10**9 or nanos % 1000:
        return f'"{time.ToJsonString()}"'  # which refuses what is no time
    text = _second_text(seconds)
    if not nanos:
        return f'"{text}Z"'
    return f'"{text}.{nanos // 1000:06}Z"' if nanos % 10**6 else f'"{text}.{nanos // 10**6:03}Z"'


@lru_cache(1024)
def _second_text(seconds: int) -> str:
    return (_EPOCH + timedelta(0, seconds)).isoformat()


def _show_of(field: FieldDescriptor) -> Show:
    one = _show_of_one(field)
    if not field.is_repeated:
        return one
    return lambda values: f"[{','.join(map(one, values))}]"


def _show_of_one(field: FieldDescriptor) -> Show:
    kind = field.type
    if kind == FieldDescriptor.TYPE_STRING:
        return string_text
    if kind in _NUMBERS:
        return str
    if kind in _LONG_NUMBERS:
        return lambda number: f'"{number}"'
    if kind == FieldDescriptor.TYPE_BOOL:
        return lambda truth: "true" if truth else "false"
    if kind == FieldDescriptor.TYPE_ENUM and field.enum_type:
        return _show_of_enum(field.enum_type)
    if kind == FieldDescriptor.TYPE_MESSAGE and field.message_type:
        return _show_of_message(field.message_type)
    raise TypeError(f"nothing prints {field.full_name}")


def _show_of_message(descriptor: Descriptor) -> Show:
    if descriptor.full_name == Timestamp.DESCRIPTOR.full_name:
        return time_text
    if descriptor.full_name.startswith("google.protobuf.") or descriptor.GetOptions().map_entry:
        raise TypeError(f"nothing prints {descriptor.full_name}")
    return printer_of(descriptor)


def _show_of_enum(descriptor: EnumDescriptor) -> Show:
    names = {number: f'"{value.name}"' for number, value in descriptor.values_by_number.items()}

    def show(number: int) -> str:
        return names.get(number) or str(number)

    return show
