"""Bytes on a socket: what no HTTP library would send."""

import re
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 2, 3, 4, 6, 7
WINDOW_UPDATE, CONTINUATION = 8, 9
END_STREAM, END_HEADERS = 1, 4


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        closed: Whether the other side ended the connection.
        seconds: How long it took.
    """

    data: bytes
    closed: bool
    seconds: float

    @property
    def statuses(self) -> list[int]:
        """The statuses of HTTP/1.1 replies, without 100."""
        found = (int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", self.data))
        return [status for status in found if status != 100]

    def frames(self) -> Iterator[tuple[int, int, bytes]]:
        """Return the type, the stream and the payload of each frame of HTTP/2."""
        at = 0
        while at + 9 <= len(self.data):
            length = int.from_bytes(self.data[at : at + 3], "big")
            kind, stream = self.data[at + 3], int.from_bytes(self.data[at + 5 : at + 9], "big")
            yield kind, stream, self.data[at + 9 : at + 9 + length]
            at += 9 + length


def talk(port: int, *pieces: bytes, wait: float, receive_bytes: int | None = None) -> Answer:
    """Send pieces, then read until the other side closes or says nothing for `wait` seconds.

    Args:
        port: On this machine.
        pieces: Sent as long as the other side takes them.
        wait: In seconds; also for the other side to take a piece.
        receive_bytes: The size of the receive buffer, to be slow by.
    """
    began = time.monotonic()
    with socket.socket() as client:
        if receive_bytes is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        client.settimeout(wait)
        client.connect(("127.0.0.1", port))
        received, closed = b"", False
        try:
            for piece in pieces:
                client.sendall(piece)
        except TimeoutError:
            pass  # it takes no more
        except OSError:
            closed = True
        try:
            while more := client.recv(65_536):
                received += more
            closed = True
        except TimeoutError:
            pass
        except OSError:
            closed = True
    return Answer(received, closed, time.monotonic() - began)


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """Return a frame of HTTP/2 (RFC 9113, 4.1)."""
    head = len(payload).to_bytes(3, "big") + bytes([kind, flags])
    return head + struct.pack(">I", stream) + payload


def opening(*settings: tuple[int, int]) -> bytes:
    """Return what a client of HTTP/2 begins with."""
    payload = b"".join(struct.pack(">HI", *setting) for setting in settings)
    return PREFACE + frame(SETTINGS, payload=payload)


def packed(*headers: tuple[bytes, bytes]) -> bytes:
    """Return headers as HPACK's literals, of which none is remembered (RFC 7541, 6.2.2)."""
    return b"".join(
        b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in headers
    )


def request_headers(path: bytes = b"/payments", method: bytes = b"GET") -> bytes:
    """Return the headers of a request, packed."""
    return packed(
        (b":method", method), (b":scheme", b"http"), (b":path", path), (b":authority", b"x")
    )
