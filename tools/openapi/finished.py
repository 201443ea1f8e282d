"""Reads a finished document: its operations, their JSON, and what references lead to."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Json = dict[str, Any]
JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"

_VERBS: Final = {"get", "put", "post", "delete", "patch"}


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield each operation in order: its verb in capitals, its path, and all that is said of it."""
    for path, item in document["paths"].items():
        for verb, described in item.items():
            if verb in _VERBS:
                yield verb.upper(), path, described


def resolved(document: Json, told: Mapping[str, Any]) -> Json:
    """Return what stands somewhere; for a reference what it leads to, and what stands beside it."""
    if "$ref" not in told:
        return dict(told)
    place: Any = document
    for name in told["$ref"].removeprefix("#/").split("/"):
        place = place[name]
    return resolved(document, {**place, **{key: told[key] for key in told if key != "$ref"}})


def json_schema(told: Json) -> Json:
    """Return the schema of the JSON of a body or a reply; it is empty where there is none.

    Of a reply that is a stream of events it is the schema of each.
    """
    content = told.get("content", {})
    schema: Json = content.get(JSON, content.get(EVENT_STREAM, {})).get("schema", {})
    return schema
