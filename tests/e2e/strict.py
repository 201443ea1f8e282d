"""What the edge should let through, said once more: by Python's parser and Google's rules."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.api import annotations_pb2
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message

from paygate.payments.v1 import payment_service_pb2
from paygate.sandbox.v1 import sandbox_service_pb2
from paygate.webhooks.v1 import webhook_service_pb2
from tools.stack.settings import REPOSITORY

# Imported so that their messages are in the default pool.
SERVICES = (payment_service_pb2, sandbox_service_pb2, webhook_service_pb2)

_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")


@dataclass(frozen=True)
class Binding:
    """One way to call a method over REST."""

    rpc: str
    verb: str
    path: str
    has_body: bool
    request: Descriptor
    streams: bool

    def __str__(self) -> str:
        """Name the test."""
        return f"{self.verb} {self.path}"

    @property
    def in_path(self) -> set[str]:
        """The fields that the path gives."""
        return set(re.findall(r"{(\w+)}", self.path))

    @property
    def url(self) -> str:
        """The path, filled."""
        return re.sub(r"{\w+}", "the-id", self.path)


def bindings() -> Iterator[Binding]:
    """Return every path of the API."""
    files = FileDescriptorSet.FromString((REPOSITORY / "build" / "paygate.binpb").read_bytes())
    pool = descriptor_pool.Default()
    for file in files.file:
        for service in file.service:
            for method in service.method:
                rule = method.options.Extensions[annotations_pb2.http]
                for one in (rule, *rule.additional_bindings):
                    verb = one.WhichOneof("pattern")
                    if verb:
                        yield Binding(
                            f"/{file.package}.{service.name}/{method.name}",
                            verb.upper(),
                            getattr(one, verb),
                            bool(one.body),
                            pool.FindMessageTypeByName(method.input_type.removeprefix(".")),
                            method.server_streaming,
                        )


def reference(binding: Binding, body: bytes) -> Message | None:
    """Return the request that a body means, or None if it is to be refused."""
    try:
        value = json.loads(
            body.decode(),
            object_pairs_hook=_object,
            parse_float=_refuse,
            parse_constant=_refuse,
        )
        _check_text(value)
        if not isinstance(value, dict):
            return None
        _check(value, binding.request, binding.in_path)
        message = message_factory.GetMessageClass(binding.request)()
        json_format.ParseDict(value, message)
    except (ValueError, RecursionError, json_format.ParseError):
        return None
    for name in binding.in_path:
        setattr(message, name, "the-id")
    return message


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _refuse(text: str) -> None:
    raise ValueError(f"{text} is no whole number")


def _check_text(value: object) -> None:
    """Refuse U+0000 and lone surrogates, which Python's parser lets through."""
    text = json.dumps(value, ensure_ascii=False)
    text.encode()
    if "\\u0000" in text:
        raise ValueError("U+0000")


def _check(value: dict[str, Any], message: Descriptor, taken: set[str]) -> None:
    """Refuse what Google's rules are more lenient about than ours."""
    fields = {name: field for field in message.fields for name in (field.name, field.json_name)}
    given = [fields[name].name for name in value if name in fields]
    if len(set(given)) != len(given) or taken & set(given):
        raise ValueError("a field comes twice, or is in the path")
    for name, one in value.items():
        if name in fields and one is not None:
            for element in one if fields[name].is_repeated and isinstance(one, list) else [one]:
                _check_value(element, fields[name])


def _check_value(value: Any, field: FieldDescriptor) -> None:
    if field.message_type and not field.message_type.full_name.startswith("google.protobuf."):
        if not isinstance(value, dict):
            raise ValueError("no object")
        _check(value, field.message_type, set())
        return
    if isinstance(value, bool) and field.type != FieldDescriptor.TYPE_BOOL:
        raise ValueError("a boolean")
    if field.enum_type and isinstance(value, str) and value not in field.enum_type.values_by_name:
        raise ValueError("an enum's number as a string")
    is_number = field.cpp_type in {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64}
    if is_number and isinstance(value, str) and not _WHOLE.fullmatch(value):
        raise ValueError("not the digits of a whole number")
