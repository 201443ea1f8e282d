"""The public API as the descriptors tell it, so that a new RPC is fuzzed as soon as it is there."""

from collections.abc import Iterator
from dataclasses import dataclass

from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf import message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message

from tools.stack.settings import REPOSITORY


@dataclass(frozen=True)
class Binding:
    """Where a method is in REST, `template` being a path such as `/payment/{id}`."""

    verb: str
    template: str
    has_body: bool


@dataclass(frozen=True)
class Method:
    """One RPC."""

    service: str
    name: str
    request: type[Message]
    response: type[Message]
    bindings: tuple[Binding, ...]
    streams: bool

    @property
    def path(self) -> str:
        """What gRPC calls it by."""
        return f"/{self.service}/{self.name}"


def public_methods() -> tuple[Method, ...]:
    """Return every RPC with a REST path; what is internal has none."""
    files = FileDescriptorSet.FromString((REPOSITORY / "build" / "paygate.binpb").read_bytes())
    pool = DescriptorPool()
    for file in files.file:
        pool.AddSerializedFile(file.SerializeToString())
    found = []
    for file in files.file:
        for service in file.service:
            for method in service.method:
                bindings = tuple(_bindings(method.options.Extensions[annotations_pb2.http]))
                if bindings:
                    request, response = (
                        message_factory.GetMessageClass(pool.FindMessageTypeByName(name[1:]))
                        for name in (method.input_type, method.output_type)
                    )
                    name = f"{file.package}.{service.name}"
                    found.append(
                        Method(
                            *(name, method.name, request, response, bindings),
                            streams=method.server_streaming,
                        )
                    )
    return tuple(found)


def _bindings(rule: HttpRule) -> Iterator[Binding]:
    for one in (rule, *rule.additional_bindings):
        if verb := one.WhichOneof("pattern"):
            yield Binding(verb.upper(), getattr(one, verb), bool(one.body))
