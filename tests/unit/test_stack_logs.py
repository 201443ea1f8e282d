"""The logs of `make run` stay small while their processes run."""

import subprocess
import sys
import time
from pathlib import Path

from tools.stack import logs

SECONDS_MAX = 20.0
BYTES_MAX = 1_000_000
LINE = "x" * 99 + "\n"
WRITES = f"import os\nwhile True: os.write(2, {LINE!r}.encode())"


def test_a_log_stays_small_while_its_process_writes(tmp_path: Path) -> None:
    """It begins anew, what was in it is kept once, and what is written goes on in whole lines."""
    log, kept = tmp_path / "busy.log", tmp_path / "busy.log.1"
    with (
        log.open("ab") as file,
        subprocess.Popen([sys.executable, "-I", "-S", "-c", WRITES], stderr=file) as process,
    ):
        deadline, begun_anew = time.monotonic() + SECONDS_MAX, 0
        while begun_anew < 3:
            assert time.monotonic() < deadline
            before = log.stat().st_size
            logs.bound(log, bytes_max=BYTES_MAX)
            begun_anew += log.stat().st_size < before
        process.kill()
    assert set(log.read_text().splitlines(keepends=True)[:-1]) <= {LINE}
    assert set(kept.read_text().splitlines(keepends=True)[:-1]) == {LINE}
    assert kept.stat().st_size > BYTES_MAX
    assert sorted(tmp_path.iterdir()) == [log, kept]


def test_a_log_that_is_small_is_left_alone(tmp_path: Path) -> None:
    """Up to the bound nothing is moved; a log that is not there is none."""
    log = tmp_path / "small.log"
    logs.bound(log)
    log.write_text("line\n")
    logs.bound(log, bytes_max=5)
    assert log.read_text() == "line\n"
    assert list(tmp_path.iterdir()) == [log]
