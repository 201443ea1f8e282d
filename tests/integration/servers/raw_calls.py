"""Calls as bytes."""

import struct

from tests.e2e.raw import END_HEADERS, HEADERS, frame, packed
from tests.integration.servers.served import SERVICE

CANCEL = struct.pack(">I", 8)


def method_path(method: str) -> bytes:
    """Return the path of a method; of the tests' service unless it says which."""
    return (method if "/" in method else f"/{SERVICE}/{method}").encode()


def asked(method: str, *more: tuple[bytes, bytes], stream: int = 1, flags: int = 0) -> bytes:
    """Return the headers of a call."""
    block = packed(
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":path", method_path(method)),
        (b":authority", b"x"),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        *more,
    )
    return frame(HEADERS, END_HEADERS | flags, stream, block)


def message(data: bytes, *, compressed: int = 0) -> bytes:
    """Return a message with its length before it."""
    return bytes([compressed]) + struct.pack(">I", len(data)) + data
