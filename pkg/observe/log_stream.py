"""Standard error, for processes that have to go on when nobody can write to it.

A disk that is full, or a reader that is gone, must not end a call or a loop: what can't be written
is lost, and counted.
"""

import io
import os
import sys
from contextlib import suppress

STANDARD_ERROR = 2


class LogStream(io.TextIOBase):
    """Writes at once, or not at all; it never raises.

    Args:
        descriptor: Where to; None for nowhere.
    """

    def __init__(self, descriptor: int | None = STANDARD_ERROR) -> None:
        self._descriptor = descriptor
        self._is_torn = False
        self.lost_lines = 0

    def write(self, text: str) -> int:
        """Write all of a text, as far as that goes."""
        data = text.encode("utf-8", "backslashreplace")
        # After half a line, what follows is to be a line of its own.
        mend = b"\n" * self._is_torn
        there = self._written(mend + data)
        if len(there) < len(mend + data):
            self.lost_lines += data.count(b"\n") - there[len(mend) :].count(b"\n")
            self._is_torn = not there.endswith(b"\n") if there else self._is_torn
        else:
            self._is_torn = False
        return len(text)

    def lose(self) -> None:
        """Count a line that did not even get here."""
        self.lost_lines += 1

    def flush(self) -> None:
        """Do nothing: nothing is kept."""

    def isatty(self) -> bool:
        """Tell whether people read it as it is written."""
        return self._descriptor is not None and os.isatty(self._descriptor)

    def fileno(self) -> int:
        """Return the descriptor."""
        if self._descriptor is None:
            raise io.UnsupportedOperation
        return self._descriptor

    def writable(self) -> bool:
        """Return True."""
        return True

    def _written(self, data: bytes) -> bytes:
        """Write, and return what of it was written."""
        written = 0
        with suppress(OSError):
            while self._descriptor is not None and written < len(data):
                written += os.write(self._descriptor, data[written:])
        return data[:written]


def install() -> LogStream:
    """Put a stream that never raises in the place of `sys.stderr`, and return it."""
    if isinstance(sys.stderr, LogStream):
        return sys.stderr
    stream = LogStream()
    if sys.stderr is None:  # closed by whoever started us: the next file would get its number
        os.open(os.devnull, os.O_WRONLY)
        stream = LogStream(None)
    sys.stderr = stream
    return stream


def lost_lines() -> int:
    """Return how many lines of the log of this process are lost."""
    return sys.stderr.lost_lines if isinstance(sys.stderr, LogStream) else 0
