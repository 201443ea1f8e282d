"""What stops `make run` from starting is said in one sentence."""

import ast
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.stack import Stack, new_data_dir
from tools.stack import venv
from tools.stack.settings import REPOSITORY

VENV = REPOSITORY / "tools" / "stack" / "venv.py"


@pytest.fixture
def stack() -> Iterator[Stack]:
    """A stack that was not started."""
    with Stack(workers=1) as stopped:
        yield stopped


def refusal(stack: Stack, command: str = "run") -> str:
    """Run a command that must fail; return the one line it says on stderr."""
    ended = stack.command(command)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert stack.processes() == []
    return line


def test_a_taken_port_is_named(stack: Stack) -> None:
    """A port that another program listens on is refused before anything is made."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", stack.port))
        other.listen()
        line = refusal(stack)
    assert f"Port {stack.port} is taken" in line
    assert "PAYGATE_PORT=" in line
    assert not (stack.data_dir / "postgres").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAYGATE_PORT", "http"),
        ("PAYGATE_PORT", "65536"),
        ("PAYGATE_PORT", "-1"),
        ("PAYGATE_WORKERS", "0"),
        ("PAYGATE_WORKERS", "1.5"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(stack: Stack, name: str, value: str) -> None:
    """A setting out of range is refused with its name and value."""
    stack.environment[name] = value
    line = refusal(stack)
    assert name in line
    assert value in line


@pytest.mark.parametrize("command", ["run", "reset"])
def test_somebody_elses_folder_is_left_alone(stack: Stack, command: str) -> None:
    """A folder with files that are not paygate's is neither used nor emptied."""
    precious = stack.data_dir / "precious.txt"
    precious.write_text("mine")
    assert "not paygate's" in refusal(stack, command)
    assert [path.name for path in stack.data_dir.iterdir()] == ["precious.txt"]


def test_a_folder_that_cannot_be_made_is_named(stack: Stack) -> None:
    """A data folder below a file is refused with the system's reason."""
    file = stack.data_dir / "file"
    file.touch()
    stack.environment["PAYGATE_DATA_DIR"] = str(file / "data")
    assert "Not a directory" in refusal(stack)


@pytest.mark.parametrize("version", ["9", None])
def test_a_folder_of_another_postgresql_is_named(stack: Stack, version: str | None) -> None:
    """A database folder of another major version, or of none, is refused and left as it is."""
    assert stack.command("reset").returncode == 0  # makes nothing, but the folder goes
    stack.data_dir.mkdir()
    (stack.data_dir / ".paygate-data").touch()
    (stack.data_dir / "postgres").mkdir()
    if version:
        (stack.data_dir / "postgres" / "PG_VERSION").write_text(f"{version}\n")
    stack.begin()
    assert stack.supervisor is not None
    assert stack.supervisor.wait(30) == 1
    assert f"found: {version or 'none'}" in stack.output
    assert "make reset" in stack.output
    assert (stack.data_dir / "postgres").exists()


@pytest.mark.root
def test_a_closed_folder_above_the_data_is_not_opened() -> None:
    """As root, a data folder that PostgreSQL's user can't reach is refused, not made reachable."""
    above = new_data_dir()
    data = above / "data"
    data.mkdir()
    try:
        with Stack(workers=1, data_dir=data) as stack:
            ended = stack.command("run")
        assert ended.returncode == 1
        assert "PAYGATE_DATA_DIR" in ended.stderr
        assert above.stat().st_mode & 0o777 == 0o700
    finally:
        above.rmdir()


def test_an_old_python_can_read_the_sentence_about_its_age() -> None:
    """What runs before the virtual environment exists parses as Python 3.6."""
    ast.parse(VENV.read_text(), feature_version=(3, 6))


def test_a_missing_venv_module_is_named(tmp_path: Path) -> None:
    """A Python without ensurepip, as Debian's, is told which package to install."""
    copy = tmp_path / "tools" / "stack" / "venv.py"
    copy.parent.mkdir(parents=True)
    copy.write_text(VENV.read_text())
    (tmp_path / "requirements-local.lock").touch()
    without = (
        "import runpy, sys; sys.modules['ensurepip'] = None;"
        f"sys.argv = ['venv.py', 'requirements-local.lock'];"
        f"runpy.run_path({str(copy)!r}, run_name='__main__')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", without], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "apt install python3-venv" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert not (tmp_path / ".venv").exists()


def test_ready_says_what_it_waits_for(stack: Stack) -> None:
    """Where nothing runs it says so once, and at the end why it gave up; stdout is for the path."""
    ended = stack.command("ready", "--timeout", "2")
    waiting, why = ended.stderr.splitlines()
    assert waiting == "Waiting for `make run` in another terminal…"
    assert "start it with `make run`" in why
    assert (ended.returncode, ended.stdout) == (1, "")


@pytest.mark.parametrize("command", [("ready", "--timeout", "0.3"), ("reset", "--help")])
def test_they_need_no_package(stack: Stack, command: tuple[str, ...]) -> None:
    """`make ready` waits while the first `make run` still installs them."""
    ended = subprocess.run(
        [sys.executable, "-S", "-m", "tools.stack", *command],
        cwd=REPOSITORY,
        env={**stack.environment, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert "Traceback" not in ended.stderr
    assert ended.stdout.startswith("usage") or "start it with `make run`" in ended.stderr


@pytest.mark.parametrize("code", [0, 1])
def test_pips_complaints_are_shown_if_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], code: int
) -> None:
    """A machine's own settings make it warn about each package: nobody can act on that."""
    pip = tmp_path / "python"
    pip.write_text(f"#!/bin/sh\necho 'Collecting one==1'\necho 'WARNING: odd' >&2\nexit {code}\n")
    pip.chmod(0o755)
    lock = tmp_path / "some.lock"
    lock.write_text("one==1 \\\n    --hash=sha256:00\n")
    monkeypatch.setattr(venv, "PYTHON", pip)
    with suppress(SystemExit):
        venv.pip_install(lock)
    shown = capfd.readouterr()
    assert ("WARNING: odd" in shown.err) == bool(code)
    assert re.search(
        rf"^ +\d+\.\d s  {'failed' if code else 'installed'}$", shown.out, re.MULTILINE
    )
