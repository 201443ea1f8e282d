"""The supervisor of `make run` keeps what has served running, whatever else is away."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tools.stack.errors import StackError
from tools.stack.program import Program
from tools.stack.supervisor import FAILURES_TOLD_MAX, Supervisor

WAIT_SECONDS_MAX = 20.0
# A process that does not start without its database, which here is a file.
NEEDS_DATABASE = "import os, sys, time; os.path.exists('database') or sys.exit(1); time.sleep(600)"


def python(folder: Path, name: str, text: str) -> Program:
    """Return a program in Python."""
    return Program(
        name=name,
        command=(sys.executable, "-I", "-S", "-c", text),
        log=folder / f"{name}.log",
        directory=folder,
        environment=dict(os.environ),
    )


class Told(list[str]):
    """The lines that a supervisor prints."""

    async def has(self, text: str, count: int = 1) -> None:
        """Wait until so many lines hold a text."""
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            while sum(text in line for line in self) < count:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def tended(
    folder: Path, *programs: Program, record: Path | None = None
) -> AsyncIterator[tuple[Supervisor, Told]]:
    """Run programs, of which nothing may end the supervisor."""
    told = Told()
    place = record or folder / "processes.json"
    supervisor = Supervisor(place, told.append, pause_seconds_max=0.1)
    await supervisor.start(*programs)
    tending = asyncio.create_task(supervisor.tend())
    try:
        yield supervisor, told
        assert not tending.done()
    finally:
        tending.cancel()
        await supervisor.stop()


async def test_an_end_in_good_order_is_no_failure(tmp_path: Path) -> None:
    """A process that ends with 0 is started again as often as it likes, at the same pace."""
    async with tended(tmp_path, python(tmp_path, "short", "")) as (_, told):
        await told.has("short", 2 * FAILURES_TOLD_MAX)
    assert set(told) == {"short ended with exit code 0: starting it again."}


async def test_a_database_that_is_away_for_long_ends_nothing(tmp_path: Path) -> None:
    """A process that died waits for it; the others stay, and in the end all serve."""
    database = tmp_path / "database"
    database.touch()
    needs = python(tmp_path, "worker", NEEDS_DATABASE)
    well = python(tmp_path, "well", "import time; time.sleep(600)")
    async with tended(tmp_path, needs, well) as (supervisor, told):
        before = pids(supervisor)
        database.unlink()
        os.kill(before["worker"], 9)
        await told.has("It is started again every")
        assert len(told) == FAILURES_TOLD_MAX  # and then it is known
        database.touch()
        await told.has("worker serves again")
        after = pids(supervisor)
    assert after["well"] == before["well"]
    assert after["worker"] != before["worker"]


def pids(supervisor: Supervisor) -> dict[str, int]:
    """Return the running processes, by name."""
    found = {child.program.name: child.pid for child in supervisor._children()}
    return {name: pid for name, pid in found.items() if pid is not None}


async def test_what_never_served_is_not_tried_again(tmp_path: Path) -> None:
    """At the start, whoever waits at the terminal is told why it can't."""
    supervisor = Supervisor(tmp_path / "processes.json", Told().append)
    program = python(tmp_path, "broken", "import sys; sys.exit('no such table')")
    waits = Program(**{**vars(program), "ready": asyncio.Event().wait})
    with pytest.raises(StackError, match="no such table"):
        await supervisor.start(waits)
    await supervisor.stop()


async def test_a_record_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    """It is said once; processes live and are started again, and the record comes when it can."""
    folder = tmp_path / "run"
    record = folder / "processes.json"
    sleeper = python(tmp_path, "sleeper", "import time; time.sleep(600)")
    async with tended(tmp_path, sleeper, record=record) as (supervisor, told):
        first = pids(supervisor)["sleeper"]
        os.kill(first, 9)
        await told.has("starting it again")
        assert sum("can't be written" in line for line in told) == 1
        folder.mkdir()
        await told.has("is written again")
        assert str(pids(supervisor)["sleeper"]) in record.read_text()


async def test_a_log_that_cannot_be_made_ends_nothing(tmp_path: Path) -> None:
    """Where there is no room for a log the process runs without."""
    sleeper = python(tmp_path / "no such folder", "sleeper", "import time; time.sleep(600)")
    placed = Program(**{**vars(sleeper), "directory": tmp_path})
    async with tended(tmp_path, placed) as (supervisor, _):
        assert pids(supervisor)
