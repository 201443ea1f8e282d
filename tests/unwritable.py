"""Where nothing can be written: what a log may have to do with."""

import os


def full() -> int:
    """Return a file on a disk without room."""
    return os.open("/dev/full", os.O_WRONLY)


def gone() -> int:
    """Return the writing end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer
