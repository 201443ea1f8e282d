"""As much of HTTP/2 and HPACK (RFC 9113, RFC 7541) as a load driver for unary gRPC needs.

Requests are assembled from parts that were encoded in advance: that is why it is cheap. It speaks
only to servers that we start ourselves, one request at a time on each connection.
"""

import struct
from collections.abc import Iterator, Mapping

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1

# What servers send as the trailer of a call that went well: plain from grpcio, in Huffman's code
# from Envoy. We allow no dynamic table, so that it looks the same every time.
_NAMES = (b"\x0bgrpc-status", b"\x88\x9a\xca\xc8\xb2\x12\x34\xda\x8f")
_ZEROS = (b"\x010", b"\x81\x07")
_WELL = tuple(name + zero for name in _NAMES for zero in _ZEROS)

_INDEXED, _REMEMBERED = 0x80, 0x40
_METHOD_POST, _SCHEME_HTTP, _PATH, _AUTHORITY = 3, 6, 4, 1
_TABLE_FIRST = 62  # the newest of the headers that were sent to be remembered


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """Return a frame."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def preface() -> bytes:
    """Return what a client sends first: large windows for replies, no table for their headers."""
    header_table, initial_window = 1, 4
    settings = struct.pack(">HIHI", header_table, 0, initial_window, 1 << 30)
    window = frame(8, 0, 0, struct.pack(">I", (1 << 31) - 1 - 65_535))
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, settings) + window


def acknowledgement(kind: int, payload: bytes) -> bytes:
    """Return the answer to a server's SETTINGS or PING."""
    return frame(kind, ACK, 0, payload if kind == PING else b"")


def frames(buffer: bytes) -> Iterator[tuple[int, int, bytes, int]]:
    """Yield the whole frames in a buffer: type, flags, payload, and where the next one begins."""
    position, size = 0, len(buffer)
    while size - position >= 9:
        end = position + 9 + int.from_bytes(buffer[position : position + 3], "big")
        if end > size:
            return
        yield buffer[position + 3], buffer[position + 4], buffer[position + 9 : end], end
        position = end


def went_well(trailers: bytes) -> bool:
    """Tell whether the trailers of a call say OK."""
    return any(mark in trailers for mark in _WELL)


class Requests:
    """Encodes unary calls of one client.

    Args:
        headers: What every call carries; a connection's first call has the server remember them.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        common = {"content-type": "application/grpc", "te": "trailers", **headers}
        self._first = (
            bytes([_REMEMBERED | _AUTHORITY])
            + _text("bench")
            + b"".join(
                bytes([_REMEMBERED]) + _text(name) + _text(value) for name, value in common.items()
            )
        )
        # The key's name comes last and so is the newest in the table.
        self._first_key = bytes([_REMEMBERED]) + _text("idempotency-key")
        known = range(_TABLE_FIRST + 1 + len(common), _TABLE_FIRST, -1)
        self._later = bytes(_INDEXED | index for index in known)
        self._later_key = bytes([0x0F, _TABLE_FIRST - 15])

    def encode(self, path: bytes, message: bytes, *, key: str, stream: int) -> bytes:
        """Return the frames of a call; `key` is not sent if it is empty, save on a first call."""
        start = bytes([_INDEXED | _METHOD_POST, _INDEXED | _SCHEME_HTTP]) + path
        if stream == 1:
            block = start + self._first + self._first_key + _text(key or "none")
        elif key:
            block = start + self._later + self._later_key + _text(key)
        else:
            block = start + self._later
        return frame(HEADERS, END_HEADERS, stream, block) + frame(DATA, END_STREAM, stream, message)


def path_header(path: str) -> bytes:
    """Return the encoded `:path`."""
    return bytes([_PATH]) + _text(path)


def message(serialised: bytes) -> bytes:
    """Return a message with gRPC's prefix."""
    return b"\0" + struct.pack(">I", len(serialised)) + serialised


def _text(text: str) -> bytes:
    raw = text.encode("ascii")
    assert len(raw) < 127, text
    return bytes([len(raw)]) + raw
