"""The public API as its descriptors tell it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool

from tools.openapi.comments import comments_of

# Where everything answers besides; a server of the document.
PREFIX = "/v1"

_VARIABLE = re.compile(r"\{([^}=]+)\}")


class UnsupportedError(Exception):
    """The document has no form for something in the protos: write one before it is public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A method with a path in REST.

    Attributes:
        verb: In lower case, as OpenAPI has it.
        path: The first one, without the prefix.
        elsewhere: More requests that are answered by it, such as `GET /payments/{id}`.
    """

    method: MethodDescriptor
    verb: str
    path: str
    has_body: bool
    elsewhere: tuple[str, ...]

    @property
    def id(self) -> str:
        """The RPC's name in lower camel case."""
        name = self.method.name
        return name[0].lower() + name[1:]

    @property
    def streams(self) -> bool:
        """Whether its reply is a stream of messages."""
        return bool(self.method.server_streaming)

    @property
    def request(self) -> Descriptor:
        """What it takes."""
        return self.method.input_type

    @property
    def response(self) -> Descriptor:
        """What it returns."""
        return self.method.output_type

    @property
    def in_path(self) -> tuple[str, ...]:
        """The names of the fields that the path gives."""
        return tuple(_VARIABLE.findall(self.path))


@dataclass(frozen=True, slots=True)
class Api:
    """All operations, in the order of the protos, and what is written above everything."""

    operations: tuple[Operation, ...]
    comments: Mapping[str, str]
    pool: DescriptorPool


def read_api(descriptors: Path) -> Api:
    """Return the API of a descriptor set with source info.

    Raises:
        UnsupportedError: A path does not answer under both prefixes, or two methods share a name.
    """
    files = FileDescriptorSet.FromString(descriptors.read_bytes()).file
    pool = DescriptorPool()
    for file in files:
        pool.Add(file)
    operations = list[Operation]()
    for file in files:
        for service in file.service:
            described = pool.FindServiceByName(f"{file.package}.{service.name}")
            operations += filter(None, map(_operation, described.methods))
    names = [operation.id for operation in operations]
    if twice := {name for name in names if names.count(name) > 1}:
        raise UnsupportedError(f"two methods are called {', '.join(sorted(twice))}")
    return Api(tuple(operations), comments_of(files), pool)


def _operation(method: MethodDescriptor) -> Operation | None:
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    if not rule.WhichOneof("pattern"):
        return None
    bindings = [_binding(one) for one in (rule, *rule.additional_bindings)]
    plain = [one for one in bindings if not one[1].startswith(f"{PREFIX}/")]
    if sorted(bindings) != sorted([*plain, *((verb, PREFIX + path) for verb, path in plain)]):
        raise UnsupportedError(f"{method.full_name}: not all paths answer under {PREFIX} as well")
    (verb, path), *others = plain
    return Operation(
        method=method,
        verb=verb,
        path=path,
        has_body=bool(rule.body),
        elsewhere=tuple(f"{verb.upper()} {path}" for verb, path in others),
    )


def _binding(rule: HttpRule) -> tuple[str, str]:
    verb = rule.WhichOneof("pattern")
    if verb is None or verb == "custom":
        raise UnsupportedError(f"{rule}: the document has no form for this verb")
    return verb, getattr(rule, verb)
