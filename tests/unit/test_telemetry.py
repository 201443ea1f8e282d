"""Logs: JSON lines in a file, readable ones in a terminal, and no local variable in either."""

import json
import os
import pty
import subprocess
import sys

import pytest

PROGRAM = """
import logging
import resource
import structlog
from pkg.observe import telemetry
telemetry.configure("test")
grpc_logger = logging.getLogger("grpc._cython.cygrpc")
grpc_logger.error("Invalid encoding on %s", b"sk_key")
if GRPC_TROUBLE:
    grpc_logger.error("Unexpected trouble")
def fail():
    pan = "4929" + "1234" * 3
    raise ValueError("it failed")
try:
    fail()
except ValueError:
    structlog.get_logger().exception("unexpected", core=resource.getrlimit(resource.RLIMIT_CORE))
"""
PAN = "4929123412341234"


def logged(*, terminal: bool, grpc_trouble: bool = False) -> str:
    """Return what a process that fails logs."""
    reader, writer = pty.openpty() if terminal else os.pipe()
    program = PROGRAM.replace("GRPC_TROUBLE", str(grpc_trouble))
    with subprocess.Popen([sys.executable, "-c", program], stderr=writer) as process:
        assert process.wait(20) == 0
    os.close(writer)
    try:
        return os.read(reader, 100_000).decode()
    finally:
        os.close(reader)


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "file"])
def test_a_traceback_shows_no_local_variable(terminal: bool) -> None:
    """What failed is told, what the variables held is not; and no core is dumped."""
    text = logged(terminal=terminal)
    assert "it failed" in text
    assert PAN not in text
    assert "(0, 0)" in text or "[0, 0]" in text


def test_a_file_gets_json() -> None:
    """One line, with the service's name, the level and the time."""
    (line,) = logged(terminal=False).splitlines()
    assert {"service", "level", "timestamp", "event", "exception"} <= set(json.loads(line))


def test_grpc_repeats_no_header() -> None:
    """A header's value that is no text does not get into the log; other trouble of grpc's does."""
    text = logged(terminal=False, grpc_trouble=True)
    assert "sk_key" not in text
    assert "Unexpected trouble" in text
