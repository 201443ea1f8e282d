"""What the operator's command prints: a table for people, JSON for programs."""

import json
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def say(text: str) -> None:
    """Print a result."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """Tell something that is no result."""
    sys.stderr.write(f"{text}\n")


def as_json(reply: Message) -> None:
    """Print a reply as it is, in the form of the API's JSON."""
    fields = json_format.MessageToDict(
        reply, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    say(json.dumps(fields, indent=2))


def as_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns."""
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        say("  ".join(cells).rstrip())


def when(message: Message, field: str) -> str:
    """Return a time as people read it, in UTC; `-` where it is not set."""
    if not message.HasField(field):
        return "-"
    time: Timestamp = getattr(message, field)
    return time.ToDatetime().strftime("%Y-%m-%d %H:%M:%SZ")
