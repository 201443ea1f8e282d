"""What `paygate doctor` looks at: whether the stack can start here, and if not what to do."""

import asyncio
import errno
import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from pkg.process.called import RESET, RUN
from pkg.process.data_folder import told
from tools.edge import pages
from tools.stack import database, envoy, folder, installation, leftovers, ports, users, venv
from tools.stack.errors import StackError
from tools.stack.probe import http_ok
from tools.stack.settings import Settings

# A new data folder has 100 MB; a database that is full ends the run.
ROOM_BYTES_LEAST, ROOM_BYTES_TIGHT = 300 << 20, 1 << 30
PORTS_NEEDED = 20
PROGRAM_SECONDS_MAX = 20.0


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one look has found.

    Attributes:
        what: Was looked at.
        level: WRONG if it can't start so.
        text: What there is.
        todo: What to do about it.
    """

    what: str
    level: Level
    text: str
    todo: str = ""


def look(settings: Settings) -> Iterator[Finding]:
    """Look at everything, one after the other."""
    held = folder.is_held(settings)
    yield _ok("Python", f"{platform.python_version()} in {sys.prefix}")
    yield _platform()
    yield _packages()
    yield _port_in_use(settings) if held else _port(settings)
    yield _free_ports()
    yield _room(settings)
    yield _data(settings)
    yield _keyring(settings)
    yield _leftovers(settings, held=held)


def _ok(what: str, text: str) -> Finding:
    return Finding(what=what, level=Level.OK, text=text)


def _wrong(what: str, text: str, todo: str) -> Finding:
    return Finding(what=what, level=Level.WRONG, text=text, todo=todo)


def _note(what: str, text: str, todo: str) -> Finding:
    return Finding(what=what, level=Level.NOTE, text=text, todo=todo)


def _platform() -> Finding:
    what = "platform"
    if problem := venv.platform_problem():
        return _wrong(what, problem, "run it on one of these, or in a container of Linux")
    return _ok(what, platform.platform())


def _packages() -> Finding:
    """Start each program once: a disk may forbid it, a library may be missing."""
    what, again = "packages", f"install them again: remove the virtual environment and `{RUN}`"
    programs: tuple[Callable[[], Path], ...] = (envoy.program, _postgres, database.dbmate)
    try:
        pages.pages()
        versions = [_version(program()) for program in programs]
    except StackError as error:
        return _wrong(what, str(error), again)
    except (OSError, subprocess.SubprocessError) as error:
        return _wrong(what, f"a program does not start: {error}", again)
    return _ok(what, "; ".join(versions))


def _postgres() -> Path:
    return installation.package() / installation.PROGRAMS / "postgres"


def _version(program: Path) -> str:
    command = [str(program), "--version"]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=PROGRAM_SECONDS_MAX
    )
    said = ended.stdout.split()
    numbers = [word for word in said if any(letter.isdigit() for letter in word)]
    return f"{program.name} {numbers[-1].split('/')[1] if '/' in numbers[-1] else numbers[-1]}"


def _port_in_use(settings: Settings) -> Finding:
    what, url = "port", told(settings.demo_env).get("PAYGATE_URL", "")
    if url and asyncio.run(http_ok(url)):
        return _ok(what, f"a run of this data folder serves {url}")
    logs = f"it may be starting; if it stays so, see the logs in {settings.logs}"
    return _note(what, "a run of this data folder does not serve yet", logs)


def _port(settings: Settings) -> Finding:
    what, port = "port", settings.port
    found = ports.bound(port, settings.host)
    if isinstance(found, socket.socket):
        found.close()
        return _ok(what, f"{port} is free")
    other = f"choose another one: PAYGATE_PORT={ports.later(port)} {RUN}"
    if found.errno != errno.EADDRINUSE:
        return _wrong(what, f"{port} can't be used: {found.strerror}", other)
    return _wrong(what, f"{port} is taken by {_listener(port)}", f"stop that, or {other}")


def _listener(port: int) -> str:
    """Return who listens on a port, as far as we may know."""
    with suppress(psutil.Error, OSError):
        for one in psutil.net_connections(kind="tcp"):
            listens = one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port
            if listens and one.pid:
                return f"{psutil.Process(one.pid).name()} (process {one.pid})"
    return "another program"


def _free_ports() -> Finding:
    what, between = "other ports", f"between {ports.LOWEST} and {ports.HIGHEST}"
    try:
        for one in ports.hold_free(PORTS_NEEDED):
            one.close()
    except StackError as error:
        return _wrong(what, str(error), "end programs that listen there")
    return _ok(what, f"enough are free {between}")


def _room(settings: Settings) -> Finding:
    what, place = "disk", _existing(settings.data_dir)
    try:
        free = shutil.disk_usage(place).free
    except OSError as error:
        return _wrong(what, f"{place} can't be looked at: {error.strerror}", _elsewhere())
    text = f"{free >> 20:,} MB are free at {place}"
    if free < ROOM_BYTES_LEAST:
        return _wrong(what, text, f"make room: a start needs {ROOM_BYTES_LEAST >> 20} MB")
    return _note(what, text, "make room soon") if free < ROOM_BYTES_TIGHT else _ok(what, text)


def _data(settings: Settings) -> Finding:
    what, place = "data folder", settings.data_dir
    try:
        there = sorted(one.name for one in place.iterdir()) if place.exists() else None
    except OSError as error:
        return _wrong(what, f"{place} can't be read: {error.strerror}", _elsewhere())
    if there and folder.MARKER not in there:
        return _wrong(what, f"{place} holds files that are not paygate's", _elsewhere())
    if problem := _writable(_existing(place)):
        return _wrong(what, problem, _elsewhere())
    if not there:
        return _ok(what, f"{place} will be made")
    user = users.choose(place).database
    if user and not users.may(user, "-x", place):
        return _wrong(what, f"other users than root can't enter {place}", _elsewhere())
    return _data_version(settings)


def _data_version(settings: Settings) -> Finding:
    what, place = "data folder", settings.data_dir
    ours, version = installation.version().split(".")[0], place / "postgres" / "PG_VERSION"
    with suppress(OSError):
        if (there := version.read_text().strip()) != ours:
            text = f"{place} is one of PostgreSQL {there}, and here is {ours}"
            return _wrong(what, text, f"empty it with `{RESET}`, or {_elsewhere()}")
    return _ok(what, f"{place}; `{RESET}` empties it")


def _keyring(settings: Settings) -> Finding:
    what, keyring = "keyring", settings.keyring
    if problem := _writable(_existing(keyring.parent)):
        return _wrong(what, problem, "choose another file with PAYGATE_VAULT_KEYRING")
    if (settings.data_dir / "postgres").exists() and not keyring.exists():
        lost = f"put {keyring.name} back if you have it; cards can't be read without it"
        return _note(what, f"{keyring} is gone, and there is data", lost)
    return _ok(what, str(keyring) if keyring.exists() else f"{keyring} will be made")


def _leftovers(settings: Settings, *, held: bool) -> Finding:
    what = "leftover processes"
    if held:
        return _ok(what, "none is looked for while a run is there")
    left = leftovers.find(settings.processes, settings.data_dir / "postgres")
    if not left:
        return _ok(what, "none")
    shown = ", ".join(f"{_name(one)} ({one.pid})" for one in left[:5])
    return _note(what, f"{len(left)} of a run that was killed: {shown}", f"`{RUN}` ends them")


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.Error:
        return "a process"


def _writable(place: Path) -> str:
    """Return why nothing can be made in a folder; nothing if it can."""
    if not place.is_dir():
        return f"{place} is no folder"
    if not os.access(place, os.W_OK | os.X_OK):
        return f"{place} can't be written to: it belongs to user {place.stat().st_uid}"
    return ""


def _existing(place: Path) -> Path:
    """Return a path, or the first one above it that there is."""
    return next(one for one in (place, *place.parents) if one.exists())


def _elsewhere() -> str:
    return "choose another folder with PAYGATE_DATA_DIR"
