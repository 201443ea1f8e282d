"""The supervisor of `make run` tells an end that was asked for from a failure."""

import asyncio
import os
import sys
from pathlib import Path

from tools.stack.program import Program
from tools.stack.supervisor import FAILURES_MAX, Supervisor


async def test_an_end_in_good_order_is_no_failure(tmp_path: Path) -> None:
    """A process that ends with 0 is started again as often as it likes, at the same pace."""
    told, enough = list[str](), asyncio.Event()

    def tell(line: str) -> None:
        told.append(line)
        if len(told) > 2 * FAILURES_MAX:
            enough.set()

    program = Program(
        name="short",
        command=(sys.executable, "-I", "-S", "-c", ""),
        log=tmp_path / "short.log",
        directory=tmp_path,
        environment=dict(os.environ),
    )
    supervisor = Supervisor(tmp_path / "processes.json", tell)
    await supervisor.start(program)
    failing = asyncio.create_task(supervisor.failure())
    async with asyncio.timeout(20):
        await enough.wait()
    assert not failing.done()
    failing.cancel()
    await supervisor.stop()
    assert set(told) == {"short ended with exit code 0: starting it again."}
