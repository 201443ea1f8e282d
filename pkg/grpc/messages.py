"""Between a call's messages, their bytes, and the plain values in them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import grpc

from pkg.grpc.refusals import Refusal

MESSAGE_BYTES_MAX = 64 * 1024

# Of a message, by their names: plain values, of which protobuf makes the messages inside by itself.
# That takes half of what it takes to fill them one by one. The stubs know of messages only.
Fields: TypeAlias = Any

_EPOCH = datetime.fromtimestamp(0, UTC)

TOO_LARGE = Refusal(
    code=grpc.StatusCode.INVALID_ARGUMENT,
    reason="BODY_TOO_LARGE",
    message="The message is larger than 64 KiB.",
)
UNREADABLE = Refusal(
    code=grpc.StatusCode.INVALID_ARGUMENT,
    reason="MALFORMED_REQUEST",
    message="The request message could not be read.",
)


class UnreadError(Exception):
    """The call was refused before its handler had it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def time_fields(time: datetime) -> Fields:
    """Return the fields of a google.protobuf.Timestamp."""
    # A third of what Timestamp.FromDatetime takes.
    since = time - _EPOCH
    return {
        "seconds": since.days * 86_400 + since.seconds,
        "nanos": since.microseconds * 1_000,
    }


def duration_fields(length: timedelta) -> Fields:
    """Return the fields of a google.protobuf.Duration that is not negative."""
    return {
        "seconds": length.days * 86_400 + length.seconds,
        "nanos": length.microseconds * 1_000,
    }


def reader(handler: "grpc.RpcMethodHandler[Any, Any]") -> Callable[[bytes], object]:
    """Return what makes a request of bytes, or raises `UnreadError`."""
    deserialize = handler.request_deserializer
    assert deserialize is not None  # generated handlers have one

    def read(data: bytes) -> object:
        if len(data) > MESSAGE_BYTES_MAX:
            raise UnreadError(TOO_LARGE)
        try:
            return deserialize(data)
        except Exception:  # noqa: BLE001  # whatever it is, the client sent bytes that are no message
            raise UnreadError(UNREADABLE) from None

    return read


def writer(handler: "grpc.RpcMethodHandler[Any, Any]") -> Callable[[Any], bytes]:
    """Return what makes bytes of a reply; bytes, which a handler had already, it leaves alone."""
    serialize = handler.response_serializer
    assert serialize is not None  # generated handlers have one

    def write(reply: Any) -> bytes:
        return reply if type(reply) is bytes else serialize(reply)

    return write
