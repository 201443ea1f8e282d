"""Keeps the programs of the stack running, and stops them in reverse order."""

import asyncio
import contextlib
import json
import math
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from tools.stack import folder, logs
from tools.stack.errors import StackError
from tools.stack.program import Program, ended, explain, spawn

PAUSE_SECONDS_FIRST = 0.1
PAUSE_SECONDS_MAX = 5.0
# A process that served this long was well: the count begins again.
WELL_SECONDS = 10.0
# So many failures in a row are told, each in a line; then it is known.
FAILURES_TOLD_MAX = 8
TEND_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How one process of a child has lived.

    Attributes:
        code: That it ended with; None if it was ended since it did not serve.
        how: It ended, in words.
        served_seconds: How long it served.
    """

    code: int | None
    how: str
    served_seconds: float


class Child:
    """One supervised process, and those that take its place when it dies."""

    def __init__(
        self,
        program: Program,
        *,
        tell: Callable[[str], None],
        changed: Callable[[], None],
        pause_seconds_max: float,
    ):
        self._pause_seconds_max = pause_seconds_max
        self.program = program
        self.serving = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._tell = tell
        self._changed = changed
        self.keeping = asyncio.create_task(self._keep(), name=program.name)

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        process = self._process
        return process.pid if process and process.returncode is None else None

    async def served(self) -> None:
        """Return once it serves for the first time; raise if it can't."""
        serving = asyncio.create_task(self.serving.wait())
        try:
            await asyncio.wait({serving, self.keeping}, return_when=asyncio.FIRST_COMPLETED)
            if self.keeping.done():
                await self.keeping
        finally:
            serving.cancel()

    async def stop(self) -> None:
        """End it: in good order, or at once when that takes too long."""
        self.keeping.cancel()
        await asyncio.wait({self.keeping})
        self._signal(self.program.stop_signal)
        for number in (self.program.quit_signal, signal.SIGKILL):
            if await self._gone(self.program.stop_seconds_max):
                return
            self._tell(f"{self.program.name} does not stop: ending it.")
            self._signal(number)
        await self._gone(self.program.stop_seconds_max)

    def quit(self) -> None:
        """End it at once."""
        self.keeping.cancel()
        self._signal(self.program.quit_signal)

    async def _keep(self) -> None:
        """Keep a process running; once it has served, for as long as it takes.

        What it needs may be away for hours, a database or room on the disk. That is no reason to
        end what is well.
        """
        failures = 0
        while True:
            try:
                life = await self._live(failures)
            except OSError as problem:  # this machine has no process or file to give just now
                self._signal(self.program.quit_signal)
                how = f"can't be started ({problem.strerror})"
                life = Life(code=None, how=how, served_seconds=0.0)
            if not self.serving.is_set():
                raise StackError(explain(self.program, life.how))
            if life.code == 0:
                failures = 0  # somebody asked it to end: a restart
            else:
                failures = 1 if life.served_seconds > WELL_SECONDS else failures + 1
            self._tell_end(life, failures)
            pause = PAUSE_SECONDS_FIRST * 2 ** max(0, failures - 1)
            await asyncio.sleep(min(self._pause_seconds_max, pause))

    def _tell_end(self, life: Life, failures: int) -> None:
        if failures < FAILURES_TOLD_MAX:
            self._tell(f"{self.program.name} {life.how}: starting it again.")
        elif failures == FAILURES_TOLD_MAX:
            seconds = f"{self._pause_seconds_max:.0f} s"
            explained = explain(self.program, life.how)
            self._tell(f"{explained}\n    It is started again every {seconds}, until it serves.")

    async def _live(self, failures: int) -> Life:
        """Start the process, wait for its end, and say how it was."""
        self._process = process = await spawn(self.program)
        self._changed()
        ending = asyncio.create_task(process.wait())
        getting_ready = asyncio.ensure_future(self.program.ready())
        served_since = math.inf
        try:
            await asyncio.wait(
                {ending, getting_ready},
                timeout=self.program.ready_seconds_max,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not ending.done():
                if not getting_ready.done():
                    self._signal(self.program.quit_signal)
                    await ending
                    how = f"did not serve within {self.program.ready_seconds_max:.0f} s"
                    return Life(code=None, how=how, served_seconds=0.0)
                await getting_ready
                self.serving.set()
                served_since = time.monotonic()
                if failures >= FAILURES_TOLD_MAX:
                    self._tell(f"{self.program.name} serves again.")
            code = await ending
            served = max(0.0, time.monotonic() - served_since)
            return Life(code=code, how=ended(code), served_seconds=served)
        finally:
            ending.cancel()
            getting_ready.cancel()
            self._changed()

    async def _gone(self, seconds_max: float) -> bool:
        if self._process is None:
            return True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), seconds_max)
        return self._process.returncode is not None

    def _signal(self, number: signal.Signals) -> None:
        if (pid := self.pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                # SIGKILL for the whole group: nothing can be left to clean up after it.
                os.killpg(pid, number) if number == signal.SIGKILL else os.kill(pid, number)


class Supervisor:
    """The children, in the order in which they were started.

    Args:
        record: File that always names the running processes.
        tell: Prints one line.
        pause_seconds_max: Before a process that fails again and again is started again.
    """

    def __init__(
        self,
        record: Path,
        tell: Callable[[str], None],
        *,
        pause_seconds_max: float = PAUSE_SECONDS_MAX,
    ) -> None:
        self._record = record
        self._is_recorded = True
        self._pause_seconds_max = pause_seconds_max
        self._tell = tell
        self._tiers: list[list[Child]] = []

    async def start(self, *programs: Program) -> None:
        """Start programs together and return once all serve.

        Raises:
            StackError: One can't be started.
        """
        tier: list[Child] = []
        self._tiers.append(tier)
        for program in programs:
            child = Child(
                program,
                tell=self._tell,
                changed=self._write_record,
                pause_seconds_max=self._pause_seconds_max,
            )
            tier.append(child)
        await asyncio.gather(*(child.served() for child in tier))

    async def tend(self) -> None:
        """Keep the children running, and their logs small, until something is wrong with us."""
        tending = asyncio.create_task(self._tend())
        keeping = {child.keeping for child in self._children()}
        try:
            done, _ = await asyncio.wait({tending, *keeping}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        finally:
            tending.cancel()

    async def stop(self) -> None:
        """Stop all, the last started first."""
        for tier in reversed(self._tiers):
            await asyncio.gather(*(child.stop() for child in tier))
        self._record.unlink(missing_ok=True)

    def quit(self) -> None:
        """End all at once, while `stop` waits for them."""
        for child in self._children():
            child.quit()

    async def _tend(self) -> None:
        while True:
            if not self._is_recorded:
                self._write_record()
            for log in {child.program.log for child in self._children()}:
                with contextlib.suppress(OSError):
                    await asyncio.to_thread(logs.bound, log)
            await asyncio.sleep(TEND_SECONDS)

    def _children(self) -> list[Child]:
        return [child for tier in self._tiers for child in tier]

    def _write_record(self) -> None:
        """Write it, or go on without and try again soon: the processes are worth more."""
        running = {}
        for child in self._children():
            if (pid := child.pid) is not None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    started = psutil.Process(pid).create_time()
                    running[child.program.name] = {"pid": pid, "started": started}
        try:
            folder.write(self._record, json.dumps(running))
        except OSError as problem:
            if self._is_recorded:
                self._tell(f"{self._record} can't be written ({problem.strerror}): going on.")
            self._is_recorded = False
        else:
            if not self._is_recorded:
                self._tell(f"{self._record} is written again.")
            self._is_recorded = True
