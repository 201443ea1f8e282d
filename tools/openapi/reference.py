"""`python -m tools.openapi.reference`: prints the API's reference as Markdown, for `make docs`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.openapi.finished import Json, json_schema, operations, resolved

DOCUMENT: Final = Path("build/openapi.json")

_HEAD: Final = """# API reference

Every call, field and error. The rules are in [the API](api.md). `/docs` of a running sandbox has
the same with a button that sends. Each path also answers under `/v1`.

A field in **bold** has to be given in a request, and is always there in a reply.
"""


def main() -> int:
    """Print the reference of build/openapi.json."""
    document = json.loads(DOCUMENT.read_text("utf-8"))
    sys.stdout.write("\n".join(reference_of(document)))
    return 0


def reference_of(document: Json) -> Iterator[str]:
    """Return the lines of a document: calls by their tags, then events, then schemas."""
    yield _HEAD
    for tag in document["tags"]:
        calls = [
            (verb, path, operation)
            for verb, path, operation in operations(document)
            if tag["name"] in operation["tags"]
        ]
        if calls:
            yield from ("", f"## {tag['name']}", "", tag["description"])
        for verb, path, operation in calls:
            yield from _call(document, f"{verb} {path}", operation)
    yield from ("", "## What is posted to your endpoints", "")
    yield from ("| event | became true |", "|---|---|")
    for event, item in document["webhooks"].items():
        yield f"| `{event}` | {item['post']['summary']} |"
    yield from ("", "## Messages")
    for name, schema in document["components"]["schemas"].items():
        yield from _message(name, schema)


def _call(document: Json, title: str, operation: Json) -> Iterator[str]:
    yield from ("", f"### {title}", "", str(operation.get("description", operation["summary"])), "")
    fields = [
        (found["name"], found["schema"], found.get("required", False), found["description"])
        for parameter in operation.get("parameters", [])
        if (found := resolved(document, parameter))
    ]
    yield from _table("parameter", fields)
    if "requestBody" in operation:
        yield from (f"Takes {_type(json_schema(operation['requestBody']))}.", "")
    if reply := json_schema(operation["responses"].get("200", {})):
        yield from (f"Returns {_type(reply)}.", "")
    yield from ("| status | errors |", "|---|---|")
    for status, response in operation["responses"].items():
        if status != "200":
            told = resolved(document, response)["description"]
            yield f"| {status} | {_cell(told.removeprefix('- '))} |"


def _message(name: str, schema: Json) -> Iterator[str]:
    yield from (
        "",
        f"({_anchor(name)})=",
        f"### {name}",
        "",
        str(schema.get("description", "")),
        "",
    )
    required = schema.get("required", ())
    fields = [
        (field, value, field in required, value.get("description", ""))
        for field, value in schema.get("properties", {}).items()
    ]
    yield from _table("field", fields)


def _table(what: str, rows: list[tuple[str, Json, bool, str]]) -> Iterator[str]:
    if rows:
        yield from (f"| {what} | type | |", "|---|---|---|")
        for name, schema, is_required, description in rows:
            shown = f"**`{name}`**" if is_required else f"`{name}`"
            yield f"| {shown} | {_type(schema)} | {_cell(description)} |"
        yield ""


def _type(schema: Json) -> str:
    """Return how a type is written: a link to a message, or its JSON name."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{_anchor(name)})"
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    kinds = schema.get("type", "object")
    return " or ".join(kinds) if isinstance(kinds, list) else str(kinds)


def _cell(text: str) -> str:
    """Return text that fits into a cell of a table: lists become lines."""
    return text.replace("\n- ", "<br>").replace("\n", " ").replace("|", "\\|")


def _anchor(name: str) -> str:
    return f"message-{name.lower().replace('.', '-')}"


if __name__ == "__main__":
    sys.exit(main())
