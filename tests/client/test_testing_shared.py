"""One stack for all processes of a test run, which ends with the last of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from paygate_testing.errors import SetupError
from paygate_testing.keeper import OUTPUT
from paygate_testing.shared import Shared

SECONDS_MAX = 20.0
# What stands for `paygate run`: it serves until it is told to end, and keeps a record of both.
SERVES = """#!/bin/sh
trap 'echo ended >> "$RECORD"; exit 0' TERM
echo "$1" >> "$RECORD"
mkdir "$PAYGATE_DATA_DIR"
new=$PAYGATE_DATA_DIR/new
printf 'PAYGATE_URL=http://127.0.0.1:%s\\nPAYGATE_API_KEY=sk_1\\n' "$PAYGATE_PORT" > "$new"
mv "$new" "$PAYGATE_DATA_DIR/demo.env"
while :; do sleep 0.05; done
"""
FAILS = """#!/bin/sh
echo "$1" >> "$RECORD"
echo 'Port 8080 is taken.'
exit 1
"""
# A worker of a test run: it uses the stack, says so, and stays until its input ends.
WORKER = """
import os, sys
from pathlib import Path
from paygate_testing.shared import Shared
shared = Shared(Path(sys.argv[1]))
print(shared.address(os.environ)["PAYGATE_URL"], flush=True)
sys.stdin.read()
"""


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Where the command notes what it does."""
    return tmp_path / "record"


@pytest.fixture
def command(tmp_path: Path, record: Path) -> Callable[[str], Mapping[str, str]]:
    """Makes a script the installed command, and returns the environment that has it."""

    def install(script: str) -> Mapping[str, str]:
        folder = tmp_path / "bin"
        folder.mkdir()
        path = folder / "paygate"
        path.write_text(script)
        path.chmod(0o755)
        paths = os.pathsep.join(entry for entry in sys.path if entry)
        return {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "RECORD": str(record),
            "PYTHONPATH": paths,
        }

    return install


@pytest.fixture
def shared() -> Iterator[Shared]:
    """What the process has that a user started."""
    made = Shared()
    yield made
    made.end()


def worker(shared: Shared, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start another process of the test run."""
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(shared.folder)],
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def test_it_is_started_once_and_ends_after_the_last(
    shared: Shared, command: Callable[[str], Mapping[str, str]], record: Path
) -> None:
    """Four workers ask at once; of them one is killed, and the stack goes on for the others."""
    environment = command(SERVES)
    workers = [worker(shared, environment) for _ in range(4)]
    told = {one.stdout.readline() for one in workers if one.stdout}
    assert len(told) == 1
    workers[0].kill()
    workers[1].communicate(timeout=SECONDS_MAX)
    assert shared.address(environment)["PAYGATE_API_KEY"] == "sk_1"
    for one in workers:
        one.communicate(timeout=SECONDS_MAX)
    assert record.read_text().split() == ["run"]
    assert not (shared.folder / OUTPUT).stat().st_mode & 0o077
    shared.end()
    assert record.read_text().split() == ["run", "ended"]
    assert not shared.folder.exists()


def test_it_ends_when_everybody_was_killed(
    shared: Shared, command: Callable[[str], Mapping[str, str]], record: Path
) -> None:
    """The kernel gives their locks back."""
    only = worker(shared, command(SERVES))
    assert only.stdout
    assert only.stdout.readline()
    shared.leave()
    only.send_signal(signal.SIGKILL)
    only.communicate(timeout=SECONDS_MAX)
    end = time.monotonic() + SECONDS_MAX
    while shared.folder.exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    assert record.read_text().split() == ["run", "ended"]


def test_a_stack_that_does_not_start_is_said_to_each(
    shared: Shared, command: Callable[[str], Mapping[str, str]], record: Path
) -> None:
    """With what the command has printed; it is not tried again."""
    environment = command(FAILS)
    for _ in range(2):
        with pytest.raises(SetupError, match="has ended instead of serving:\nPort 8080 is taken"):
            shared.address(environment)
    assert record.read_text().split() == ["run"]


def test_without_the_command_it_is_said_what_to_do(shared: Shared, tmp_path: Path) -> None:
    """Three things would help."""
    with pytest.raises(SetupError) as refused:
        shared.address({"PATH": str(tmp_path)})
    said = str(refused.value)
    assert all(name in said for name in ("PAYGATE_URL", "`paygate run`", "`paygate-sandbox`"))


def test_a_folder_that_nobody_used_goes(shared: Shared) -> None:
    """A test run that wants no gateway leaves nothing."""
    shared.end()
    assert not shared.folder.exists()
