"""`paygate doctor`: what is in the way of a start, and what to do about it."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner

from tests.e2e.stack import free_port, new_data_dir
from tools.cli import doctor
from tools.stack import checks, settings
from tools.stack.checks import Finding, Level, look
from tools.stack.settings import Settings


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that is not there yet, and a keyring's beside it."""
    above = new_data_dir()
    above.chmod(0o755)
    yield above / "data"
    shutil.rmtree(above)


@pytest.fixture
def environment(folder: Path) -> dict[str, str]:
    """What says where it is."""
    return {
        "PAYGATE_DATA_DIR": str(folder),
        "PAYGATE_PORT": str(free_port()),
        "PAYGATE_VAULT_KEYRING": str(folder.parent / "keys" / "keyring.json"),
    }


@pytest.fixture
def chosen(environment: dict[str, str]) -> Settings:
    """The same, read."""
    return settings.load(environment)


def found(chosen: Settings, what: str) -> Finding:
    """Return what one look finds."""
    (one,) = [finding for finding in look(chosen) if finding.what == what]
    return one


def made(folder: Path, version: str = "18") -> None:
    """Make a data folder that a run has left."""
    (folder / "postgres").mkdir(parents=True)
    (folder / ".paygate-data").touch()
    (folder / "postgres" / "PG_VERSION").write_text(f"{version}\n")


def test_nothing_is_in_the_way(chosen: Settings, folder: Path) -> None:
    """On a new machine all is well, and looking makes nothing."""
    findings = list(look(chosen))
    assert [one for one in findings if one.level is not Level.OK] == []
    packages = found(chosen, "packages").text
    assert all(name in packages for name in ("envoy 1.", "postgres 18", "dbmate"))
    assert list(folder.parent.iterdir()) == []


def test_who_has_the_port_is_named(chosen: Settings) -> None:
    """With another port that is free."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", chosen.port))
        other.listen()
        taken = found(chosen, "port")
    assert taken.level is Level.WRONG
    assert f"{chosen.port} is taken by " in taken.text
    assert f"(process {os.getpid()})" in taken.text
    assert "PAYGATE_PORT=" in taken.todo


def test_a_folder_that_cannot_be_used_is_named(chosen: Settings, folder: Path) -> None:
    """Somebody else's, a file, and one of another PostgreSQL."""
    folder.mkdir()
    (folder / "precious.txt").touch()
    others = found(chosen, "data folder")
    assert others.level is Level.WRONG
    assert "not paygate's" in others.text
    assert "PAYGATE_DATA_DIR" in others.todo
    shutil.rmtree(folder)
    folder.touch()
    assert found(chosen, "data folder").level is Level.WRONG
    folder.unlink()
    made(folder, version="9")
    old = found(chosen, "data folder")
    assert old.level is Level.WRONG
    assert "PostgreSQL 9" in old.text
    assert "make reset" in old.todo


def test_a_folder_that_may_not_be_written_to_is_named(
    chosen: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And so is the keyring's. Root may write everywhere, so the kernel's answer is ours here."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    for what in ("data folder", "keyring"):
        closed = found(chosen, what)
        assert closed.level is Level.WRONG
        assert "can't be written to" in closed.text


@pytest.mark.root
def test_a_folder_that_others_cannot_enter_is_named(chosen: Settings, folder: Path) -> None:
    """As root, since nothing runs as root."""
    made(folder)
    folder.parent.chmod(0o700)
    closed = found(chosen, "data folder")
    assert closed.level is Level.WRONG
    assert "can't enter" in closed.text


def test_too_little_room_is_said(chosen: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk ends a run; one that is nearly full is told."""
    free = shutil.disk_usage(chosen.data_dir.parent).free
    for name, level in (("ROOM_BYTES_LEAST", Level.WRONG), ("ROOM_BYTES_TIGHT", Level.NOTE)):
        with monkeypatch.context() as patched:
            patched.setattr(checks, name, free * 2)
            assert found(chosen, "disk").level is level


def test_a_lost_keyring_is_said(chosen: Settings, folder: Path) -> None:
    """Where there is data, cards are encrypted under it."""
    made(folder)
    lost = found(chosen, "keyring")
    assert lost.level is Level.NOTE
    assert "can't be read" in lost.todo


def test_what_a_killed_run_left_is_named(chosen: Settings, folder: Path) -> None:
    """It is not ended here: the next run does that."""
    made(folder)
    chosen.run.mkdir()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as left:
        entry = {"pid": left.pid, "started": psutil.Process(left.pid).create_time()}
        chosen.processes.write_text(json.dumps({"sweep": entry}))
        told = found(chosen, "leftover processes")
        assert left.poll() is None
        left.communicate(b"\n")
    assert told.level is Level.NOTE
    assert f"({left.pid})" in told.text
    assert found(chosen, "leftover processes").level is Level.OK


def test_the_exit_code_says_whether_it_can_start(environment: dict[str, str], folder: Path) -> None:
    """In text and as JSON lines; and a setting that makes no sense is one sentence."""
    well = CliRunner().invoke(doctor.app, env=environment)
    assert well.exit_code == 0
    assert len(well.stdout.splitlines()) == 9
    folder.mkdir()
    (folder / "precious.txt").touch()
    wrong = CliRunner().invoke(doctor.app, ["--json"], env=environment)
    assert wrong.exit_code == 1
    lines = [json.loads(line) for line in wrong.stdout.splitlines()]
    assert [one["what"] for one in lines if one["level"] == "wrong"] == ["data folder"]
    odd = CliRunner().invoke(doctor.app, env={**environment, "PAYGATE_PORT": "no"})
    assert odd.exit_code == 1
    assert "PAYGATE_PORT must be" in odd.stderr
