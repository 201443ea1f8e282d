"""The log files of the processes: what is in them, and how large they may grow."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

LAST_LINES = 12
TAIL_BYTES = 8_192
# Of one log; as much again is kept beside it.
BYTES_MAX = 32 * 1024 * 1024


def tail(log: Path) -> list[str]:
    """Return the last lines of a log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            return file.read().decode(errors="replace").splitlines()[-LAST_LINES:]
    except OSError:
        return []


def rotate(logs: Path) -> None:
    """Keep the logs of the run before as `*.log.1`, and nothing older."""
    for log in logs.glob("*.log"):
        log.replace(_before(log))


def bound(log: Path, *, bytes_max: int = BYTES_MAX) -> None:
    """Begin a log anew if it has become too large; what was in it is kept as `*.log.1`.

    Its process goes on writing to the same file, by appending. What it writes between the end of
    the copy and the new beginning is lost, a line or two, and where there is no room for a copy,
    all that was in it.
    """
    with suppress(FileNotFoundError):
        if log.stat().st_size <= bytes_max:
            return
        partial = log.with_name(f"{log.name}.partial")
        try:
            shutil.copyfile(log, partial)
            partial.replace(_before(log))
        except OSError:
            partial.unlink(missing_ok=True)
        os.truncate(log, 0)


def _before(log: Path) -> Path:
    return log.with_name(f"{log.name}.1")
