"""Replies of the admin API, as the command prints them."""

from google.protobuf import json_format
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from services.payments.cli.output import as_json_lines


def as_json(*replies: Message) -> None:
    """Print replies as they are, in the form of the API's JSON, one a line."""
    as_json_lines(
        json_format.MessageToDict(
            reply, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
        for reply in replies
    )


def when(message: Message, field: str) -> str:
    """Return a time as people read it, in UTC; `-` where it is not set."""
    if not message.HasField(field):
        return "-"
    time: Timestamp = getattr(message, field)
    return time.ToDatetime().strftime("%Y-%m-%d %H:%M:%SZ")
