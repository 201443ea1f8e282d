"""Keeps the programs of the stack running, and stops them in reverse order."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tools.stack import folder
from tools.stack.errors import StackError
from tools.stack.program import Program, ended, explain, spawn

READY_SECONDS_MAX = 30.0
PAUSE_SECONDS_FIRST = 0.1
PAUSE_SECONDS_MAX = 5.0
# Failing this many times in a row, with pauses of 20 s in all, is not an accident any more.
FAILURES_MAX = 8
# A process that served this long was well: the count begins again.
WELL_SECONDS = 10.0


class Child:
    """One supervised process, and those that take its place when it dies."""

    def __init__(
        self, program: Program, *, tell: Callable[[str], None], changed: Callable[[], None]
    ):
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
        failures = 0
        while True:
            began = time.monotonic()
            code, how = await self._live()
            if code == 0:
                failures = 0  # somebody asked it to end: a restart
            else:
                failures = 1 if time.monotonic() - began > WELL_SECONDS else failures + 1
            if failures > FAILURES_MAX or not self.serving.is_set():
                raise StackError(explain(self.program, how))
            self._tell(f"{self.program.name} {how}: starting it again.")
            pause = PAUSE_SECONDS_FIRST * 2 ** max(0, failures - 1)
            await asyncio.sleep(min(PAUSE_SECONDS_MAX, pause))

    async def _live(self) -> tuple[int | None, str]:
        """Start the process, wait for its end, return its exit code and say how it ended."""
        self._process = process = await spawn(self.program)
        self._changed()
        ending = asyncio.create_task(process.wait())
        getting_ready = asyncio.ensure_future(self.program.ready())
        try:
            await asyncio.wait(
                {ending, getting_ready},
                timeout=READY_SECONDS_MAX,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not ending.done():
                if not getting_ready.done():
                    self._signal(self.program.quit_signal)
                    await ending
                    return None, f"did not serve within {READY_SECONDS_MAX:.0f} s"
                await getting_ready
                self.serving.set()
            code = await ending
            return code, ended(code)
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
    """

    def __init__(self, record: Path, tell: Callable[[str], None]) -> None:
        self._record = record
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
            tier.append(Child(program, tell=self._tell, changed=self._write_record))  # noqa: PERF401 - a child must be in the list before the next begins
        await asyncio.gather(*(child.served() for child in tier))

    async def failure(self) -> None:
        """Wait until a child can't be kept running, and raise why."""
        keeping = {child.keeping for tier in self._tiers for child in tier}
        done, _ = await asyncio.wait(keeping, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task

    async def stop(self) -> None:
        """Stop all, the last started first."""
        for tier in reversed(self._tiers):
            await asyncio.gather(*(child.stop() for child in tier))
        self._record.unlink(missing_ok=True)

    def quit(self) -> None:
        """End all at once, while `stop` waits for them."""
        for tier in self._tiers:
            for child in tier:
                child.quit()

    def _write_record(self) -> None:
        running = {}
        for child in (child for tier in self._tiers for child in tier):
            if (pid := child.pid) is not None:
                with contextlib.suppress(psutil.NoSuchProcess):
                    started = psutil.Process(pid).create_time()
                    running[child.program.name] = {"pid": pid, "started": started}
        folder.write(self._record, json.dumps(running))
