"""What we use of gRPC's core, by the private interface that grpcio's own servers stand on.

It has no types, and no promise that it stays. `tests/integration/servers` tells when it
changes.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from grpc._cython import cygrpc  # type: ignore[attr-defined]  # it is compiled


class _NotTold(logging.Filter):
    """Keeps grpcio from logging metadata that are no text, with their values: an API key is one."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line may be logged."""
        return not str(record.msg).startswith("Invalid encoding")


logging.getLogger("grpc._cython.cygrpc").addFilter(_NotTold())

Metadata: TypeAlias = Sequence[tuple[str, str | bytes]]


class Call(Protocol):
    """A call, as the core knows it."""

    def start_server_batch(self, operations: Sequence[Any], tag: "Tag") -> int:
        """Begin operations; the tag is called when all have ended, unless an error is returned."""

    def cancel(self, code: int, details: str) -> object:
        """Cut the call off, whatever of it is still to be sent."""

    def peer(self) -> bytes:
        """Return who calls."""


class CallDetails(Protocol):
    """What a call begins with."""

    method: bytes
    deadline: float


class Event(Protocol):
    """Something that has ended, with the fields that its kind has."""

    completion_type: int
    success: bool
    tag: "Tag"
    batch_operations: tuple[Any, ...]
    call: Call
    call_details: CallDetails
    invocation_metadata: Metadata


Tag: TypeAlias = Callable[[Event], None]

CompletionQueue: Any = cygrpc.CompletionQueue
Server: Any = cygrpc.Server

TIMEOUT: int = cygrpc.CompletionType.queue_timeout
SHUTDOWN: int = cygrpc.CompletionType.queue_shutdown

# Operations. All take flags as their last argument, of which we have none.
RECEIVE_MESSAGE: Any = cygrpc.ReceiveMessageOperation
RECEIVE_CLOSE: Any = cygrpc.ReceiveCloseOnServerOperation
SEND_INITIAL_METADATA: Any = cygrpc.SendInitialMetadataOperation
SEND_MESSAGE: Any = cygrpc.SendMessageOperation
SEND_STATUS: Any = cygrpc.SendStatusFromServerOperation
