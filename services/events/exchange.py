"""One request and its answer on a connection, by HTTP/1.1 (RFC 9112): no more than webhooks need.

Receivers are strangers. Of an answer only its status counts: whatever the headers and the body are,
it has been given by then. An HTTP client refuses some of them, and reads all of them. The start of
the body is kept to be shown to the merchant, and means nothing.
"""

import re
from collections.abc import Mapping
from typing import Protocol

from services.events.reply_text import LOOKED_AT_BYTES_MAX, fields_of, text_of
from services.events.target import Target

# Until the status, interim answers (1xx) included; and after it, headers and body.
STATUS_BYTES_MAX = 16 * 1024
REST_BYTES_MAX = 64 * 1024
INTERIM_ANSWERS_MAX = 8

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])[ \r\n]")
_STATUS_LENGTH = len(b"HTTP/1.1 200\r")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_SWITCHING_PROTOCOLS = 101  # nobody has asked for it, so that it is no interim answer
_NO_CONTENT = 204
_LAST_CHUNK = b"0\r\n\r\n"  # RFC 9112, section 7.1, without trailers
# Twice what is shown of it: chunks have sizes between them.
LOOKED_AT_RAW_BYTES_MAX = 2 * LOOKED_AT_BYTES_MAX
_LENGTH = re.compile(rb"\d{1,6}\Z")


class UnansweredError(Exception):
    """There is no answer; the message says why, in words of ours."""


class ConnectionLostError(UnansweredError):
    """The connection was closed before an answer."""

    def __init__(self) -> None:
        super().__init__("the connection was closed before an answer")


class Incoming(Protocol):
    """What has come over a connection, and was not taken off it yet."""

    buffer: bytearray

    async def more(self, deadline: float) -> None:
        """Wait until there is more in the buffer, but not beyond a time of the loop's.

        Raises:
            UnansweredError: Nothing comes, or not in time.
        """


def request_of(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return a POST as it goes over the wire; the path is not touched."""
    fields = {"host": target.authority, **headers, "content-length": str(len(body))}
    lines = [f"POST {target.path} HTTP/1.1", *(f"{name}: {text}" for name, text in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


class AnswerReader:
    """Reads one answer off a connection, within a budget of bytes."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self._buffer = incoming.buffer
        self._taken = 0  # off the buffer, by the part that is being read
        self._bytes_max = STATUS_BYTES_MAX
        self._persistent = False
        self._rest = b"", b""  # head and body, as far as was read and somebody wants to see it

    @property
    def reply(self) -> str:
        """The start of the body as text, once the answer has ended, in whatever way."""
        return text_of(*self._rest)

    async def status(self, deadline: float) -> int:
        """Return the status of the final answer.

        Raises:
            UnansweredError: What came is no HTTP, or only interim answers, or nothing.
        """
        for _ in range(INTERIM_ANSWERS_MAX + 1):
            while len(self._buffer) < _STATUS_LENGTH:
                await self._more(deadline)
            if not (line := _STATUS.match(self._buffer)):
                raise UnansweredError("the answer is not HTTP/1.1")
            self._persistent = line[1] == b"1"
            status = int(line[2])
            if status >= 200 or status == _SWITCHING_PROTOCOLS:
                return status
            await self._head(deadline)
        raise UnansweredError("too many interim answers (1xx)")

    async def end(self, status: int, deadline: float) -> bool:
        """Read what follows the status; tell whether the connection is good for another request.

        What is not read when a connection is closed is a reset to the one who wrote it.

        Raises:
            UnansweredError: It does not end within the budget or the time, or ends too soon.
        """
        self._taken, self._bytes_max = 0, REST_BYTES_MAX
        head = await self._head(deadline)
        length = _body_length(status, head) if self._persistent else None
        try:
            return await self._body_end(length, deadline)
        finally:
            self._rest = head, bytes(self._buffer[:LOOKED_AT_RAW_BYTES_MAX])
            self._buffer.clear()

    async def _body_end(self, length: int | None, deadline: float) -> bool:
        if length is None:
            while not self._buffer.endswith(_LAST_CHUNK):
                await self._more(deadline)
            return False
        while len(self._buffer) < length:
            await self._more(deadline)
        return len(self._buffer) == length

    async def _head(self, deadline: float) -> bytes:
        """Take a head off what is read, up to the empty line."""
        looked = 0
        while not (end := _HEAD_END.search(self._buffer, looked)):
            looked = max(0, len(self._buffer) - 3)
            await self._more(deadline)
        head = bytes(self._buffer[: end.start()])
        self._taken += end.end()
        del self._buffer[: end.end()]
        return head

    async def _more(self, deadline: float) -> None:
        if self._taken + len(self._buffer) > self._bytes_max:
            raise UnansweredError("the answer is too long")
        await self._incoming.more(deadline)


def _body_length(status: int, head: bytes) -> int | None:
    """Return how long the body is where that is beyond doubt, else None."""
    lengths = []
    for name, value in fields_of(head):
        if name == b"content-length":
            lengths.append(value)
        elif name == b"transfer-encoding" or (name == b"connection" and value != b"keep-alive"):
            return None
    if status == _NO_CONTENT:
        return 0 if not lengths or lengths == [b"0"] else None
    return int(lengths[0]) if len(lengths) == 1 and _LENGTH.match(lengths[0]) else None
