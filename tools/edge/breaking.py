"""What clients of REST relied on and would no longer find: paths are beyond what buf compares."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

# Before the sets are read: it makes the paths in the methods' options readable.
from google.api import annotations_pb2
from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor_pb2 import FileDescriptorSet

_VARIABLE = re.compile(r"\{[^}=]*(=[^}]*)?\}")


class Route(NamedTuple):
    """What a client sends; names of variables in the path are nothing to it."""

    verb: str
    path: str

    def __str__(self) -> str:
        """Return it as in a request."""
        return f"{self.verb} {self.path}"


class Answerer(NamedTuple):
    """Which method answers, and which of its fields are the body."""

    method: str
    body: str


def breaking(old: Path, new: Path) -> list[str]:
    """Return what is no longer as it was, a line each.

    Args:
        old: The descriptor set that clients know.
        new: The one that is to take its place.
    """
    before, after = (dict(_routes(_read(path))) for path in (old, new))
    said = []
    for route, answerer in sorted(before.items()):
        now = after.get(route)
        if now is None:
            moved = ", ".join(
                str(one) for one in sorted(after) if after[one].method == answerer.method
            )
            said.append(f"{route} is gone ({answerer.method} is now {moved or 'nowhere'})")
        elif now.method != answerer.method:
            said.append(f"{route} led to {answerer.method} and leads to {now.method}")
        elif now.body != answerer.body:
            said.append(f"{route} had the body {answerer.body!r} and has {now.body!r}")
    return said


def _read(path: Path) -> FileDescriptorSet:
    return FileDescriptorSet.FromString(path.read_bytes())


def _routes(files: FileDescriptorSet) -> Iterator[tuple[Route, Answerer]]:
    for file in files.file:
        for service in file.service:
            for method in service.method:
                rule = method.options.Extensions[annotations_pb2.http]
                name = f"{file.package}.{service.name}/{method.name}"
                for binding in (rule, *rule.additional_bindings):
                    if binding.WhichOneof("pattern"):
                        yield _route(binding), Answerer(name, binding.body)


def _route(rule: HttpRule) -> Route:
    if rule.WhichOneof("pattern") == "custom":
        return Route(rule.custom.kind, _unnamed(rule.custom.path))
    pattern = str(rule.WhichOneof("pattern"))
    return Route(pattern.upper(), _unnamed(getattr(rule, pattern)))


def _unnamed(path: str) -> str:
    return _VARIABLE.sub(r"{\1}", path)
