"""The comments of the protos, by the full name of what they stand above."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto

# The end of a sentence: what comes next begins with a capital letter or a code.
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")

# The numbers of fields in descriptor.proto, by which a place in a file is told.
_LISTS = {4: "message_type", 5: "enum_type", 6: "service"}
_LISTS_OF_MESSAGE = {2: "field", 3: "nested_type", 4: "enum_type", 8: "oneof_decl"}
_LISTS_OF_OTHERS = {2: "value"}  # of an enum
_LISTS_OF_SERVICE = {2: "method"}


def comments_of(files: Iterable[FileDescriptorProto]) -> dict[str, str]:
    """Return what is written above each service, method, message, field, enum and value."""
    return dict(pair for file in files for pair in _of_file(file))


def in_words(name: str) -> str:
    """Return the name of an RPC as a title: what readers look for in a list of calls."""
    return _CAPITAL.sub(" ", name).capitalize()


def paragraphs(text: str) -> str:
    """Return a text of lines as paragraphs, as Markdown has them."""
    parts = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(part.split()) for part in parts)


def _of_file(file: FileDescriptorProto) -> Iterator[tuple[str, str]]:
    for location in file.source_code_info.location:
        if location.leading_comments.strip():
            name = _name(file, location.path)
            if name:
                yield f"{file.package}.{name}", paragraphs(location.leading_comments)


def _name(file: FileDescriptorProto, path: Sequence[int]) -> str:
    """Return the name of what is at a place in a file; empty for what has none."""
    node: Any = file
    lists, names = _LISTS, list[str]()
    for kind, number in zip(path[::2], path[1::2], strict=False):
        if kind not in lists:
            return ""
        node = getattr(node, lists[kind])[number]
        names.append(node.name)
        lists = {
            "DescriptorProto": _LISTS_OF_MESSAGE,
            "EnumDescriptorProto": _LISTS_OF_OTHERS,
            "ServiceDescriptorProto": _LISTS_OF_SERVICE,
        }.get(type(node).__name__, {})
    return ".".join(names) if len(path) == 2 * len(names) else ""
