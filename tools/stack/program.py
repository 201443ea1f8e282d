"""One program of the stack: how it is started, and what it printed."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tools.stack import logs
from tools.stack.errors import StackError

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True, kw_only=True)
class User:
    """Whom a program runs as."""

    uid: int
    gid: int


async def at_once() -> None:
    """Be ready as soon as the process exists."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A command and how to treat it.

    Attributes:
        name: For people, and of its log file.
        command: The first part is an absolute path.
        log: Where what it prints is appended.
        ready: Returns once the process serves; called again after each restart.
        ready_seconds_max: How long that may take.
        stop_signal: Asks it to end in good order.
        quit_signal: Makes it end at once.
        death_signal: What the kernel sends when the supervisor is gone.
        stop_seconds_max: How long a good order may take.
        user: None for the supervisor's own.
        opened: Folders that are opened for it before it becomes that user; see doors.py.
        within: What comes before the launcher, such as a command that enters another network.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    directory: Path
    environment: Mapping[str, str] = field(repr=False)
    ready: Callable[[], Awaitable[None]] = at_once
    ready_seconds_max: float = 30.0
    stop_signal: signal.Signals = signal.SIGTERM
    quit_signal: signal.Signals = signal.SIGKILL
    death_signal: signal.Signals = signal.SIGKILL
    stop_seconds_max: float = 15.0
    user: User | None = None
    opened: tuple[Path, ...] = ()
    within: tuple[str, ...] = ()


async def spawn(program: Program, *, stdout: int | None = None) -> asyncio.subprocess.Process:
    """Start the program in a session of its own, so that Ctrl-C reaches only the supervisor."""
    user = program.user or User(uid=-1, gid=-1)
    tie = (os.getpid(), int(program.death_signal), user.uid, user.gid)
    with _log_of(program) as log:
        return await asyncio.create_subprocess_exec(
            *(*program.within, sys.executable, "-I", "-S", str(LAUNCHER), *map(str, tie)),
            *(str(len(program.opened)), *map(str, program.opened)),
            *program.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log if stdout is None else stdout,
            stderr=log,
            cwd=program.directory,
            env=dict(program.environment),
            start_new_session=True,
        )


def _log_of(program: Program) -> BinaryIO:
    try:
        return program.log.open("ab")
    except OSError:  # no room for one more file: what it prints is lost, and it runs
        return Path(os.devnull).open("ab")


async def run_to_end(program: Program) -> str:
    """Run the program once and return what it printed on stdout, which is not logged.

    Raises:
        StackError: It failed; with the end of its log.
    """
    process = await spawn(program, stdout=asyncio.subprocess.PIPE)
    try:
        output, _ = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if process.returncode:
        raise StackError(explain(program, ended(process.returncode)))
    return output.decode()


def ended(code: int) -> str:
    """Say how a process ended."""
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


def explain(program: Program, what: str) -> str:
    """Say what happened to a program, with the last lines that it printed."""
    lines = logs.tail(program.log)
    shown = "".join(f"\n    {line}" for line in lines)
    return f"{program.name} {what}; its log, {program.log}, ends:{shown or ' (empty)'}"
