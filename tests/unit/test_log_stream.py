"""A log that can't be written loses lines and counts them; it never raises."""

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pkg.observe.log_stream import LogStream
from tests.unwritable import full, gone

# Every way in which something gets into the log. Ends with 0 only if none of them raises.
PROGRAM = """
import asyncio, logging, sys, warnings
import structlog
from pkg.observe import log_stream, telemetry
from pkg.observe.request_log import request_log
telemetry.configure("test")
class Unshown:
    def __repr__(self):
        raise ValueError("it can't be shown")
async def main():
    log = structlog.get_logger()
    log.warning("one")
    log.warning("two", value=Unshown())
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("three")
    logging.getLogger("grpc").error("four")
    logging.getLogger("grpc").error("five %d", "no number")
    print("six", file=sys.stderr, flush=True)
    calls = request_log("test")
    calls.add(request_id="r", merchant_id="m", key_id="k", address="192.0.2.7", method="/s/M",
              code="OK", reason="", seconds=1.0,
              payment_id="p")
    await asyncio.sleep(0.2)
    calls.add(request_id="r", merchant_id="m", key_id="k", address="192.0.2.7", method="/s/M",
              code="OK", reason="", seconds=1.0,
              payment_id="p")
    calls.flush()
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)
    warnings.warn("nine")
asyncio.run(main())
sys.stdout.write(str(log_stream.lost_lines()))
"""


def run(stderr: int) -> subprocess.CompletedProcess[bytes]:
    """Run the program with this standard error."""
    command = [sys.executable, "-c", PROGRAM]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=stderr, timeout=30, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("made", [full, gone], ids=["full disk", "closed pipe"])
def test_nothing_raises_where_nothing_can_be_written(made: Callable[[], int]) -> None:
    """Loggers, libraries, prints, the request log and its timer: all go on, all are counted."""
    stderr = made()
    ended = run(stderr)
    os.close(stderr)
    assert ended.returncode == 0
    assert int(ended.stdout) >= 9


def test_without_a_standard_error_nothing_else_gets_the_log(tmp_path: Path) -> None:
    """A process that is started without one gives its number to no other file."""
    target = tmp_path / "mine"
    program = PROGRAM.replace(
        "log = structlog.get_logger()\n",
        f'log = structlog.get_logger()\n    mine = open({str(target)!r}, "w")\n'
        "    assert mine.fileno() > 2\n",
    )
    command = f'exec "{sys.executable}" -c "$1" 2>&-'
    ended = subprocess.run(
        ["/bin/sh", "-c", command, "sh", program], capture_output=True, timeout=30, check=False
    )
    assert ended.returncode == 0
    assert int(ended.stdout) >= 9
    assert target.read_text() == ""


def test_a_line_that_can_be_shown_is_written_beside_one_that_cannot() -> None:
    """What can't be made a line is lost by itself."""
    ended = run(subprocess.PIPE)
    assert ended.returncode == 0
    said = ended.stderr.decode()
    assert [word in said for word in ("one", "three", "four", "six", "nine")] == [True] * 5
    assert "it can't be shown" not in said
    assert int(ended.stdout) == 2


def test_after_half_a_line_there_is_a_whole_one(tmp_path: Path) -> None:
    """A disk that takes a part of a line, and later has room again, gets no line that is two."""
    path = tmp_path / "log"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with path.open("ab", buffering=0) as file:
        stream = LogStream(file.fileno())
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
        try:
            stream.write("0123456789\n")
            stream.write("01234567890123456789\n")
            stream.write("lost\nlost too\n")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        stream.write("whole again\n")
    assert path.read_text().splitlines() == ["0123456789", "012345678", "whole again"]
    assert stream.lost_lines == 3
