"""Envoy's admin page, which is a socket that is a file."""

import socket
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Said:
    """What the page answered."""

    status: int
    data: bytes


class _Connection(HTTPConnection):
    """HTTP through a socket that is a file."""

    def __init__(self, path: Path, seconds_max: float) -> None:
        super().__init__("envoy", timeout=seconds_max)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def asked(path: Path, page: str, *, method: str = "GET", seconds_max: float = 5.0) -> Said:
    """Ask the admin page behind a socket.

    Raises:
        OSError: It does not answer.
    """
    connection = _Connection(path, seconds_max)
    try:
        connection.request(method, page)
        answer = connection.getresponse()
        return Said(answer.status, answer.read())
    finally:
        connection.close()
