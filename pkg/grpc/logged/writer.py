"""Writes the request log, behind the calls that it is about.

A call costs one append. A task of its own does the rest a little at a time: what it is too slow for
is left out, oldest first, and counted. So is what the database does not take. Nobody waits for it.
"""

import asyncio
import secrets
from collections import Counter as Tally
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from pkg.errors import DependencyUnavailableError
from pkg.grpc.calls import Ended, EndedCalls
from pkg.grpc.logged.entries import Entry, columns_of, entry_of
from pkg.observe.metrics import Metrics
from pkg.postgres.shards.tenancy import merchants_of
from pkg.postgres.sql import Pool, statements, translated

logger = structlog.get_logger()

SQL = statements(Path(__file__).parent / "sql")

KEPT_PER_MERCHANT = 10_000
# How many calls may wait, with their messages; how many are written in one go, and how often.
WAITING_MAX, TOGETHER_MAX, EVERY_SECONDS = 400, 100, 0.25
# How many instead, while more come than could be written: the log is not whole then anyway, and a
# worker that is that busy has better things to do.
BUSY_TOGETHER_MAX = 20
# How many are made ready in one go, half a millisecond: then others are served.
PIECE = 10
PRUNE_EVERY, PRUNED_MAX = 500, 2_000
END_SECONDS = 1.0


class RequestWriter:
    """Gathers calls of merchants and writes them; `call_records` tells it of each that has ended.

    Args:
        pool: Of a role that may add to the log, and remove one merchant's entries at a time.
        metrics: Where calls are counted that are left out.
    """

    def __init__(self, pool: Pool, metrics: Metrics) -> None:
        self._pool = pool
        self._own = merchants_of(pool)
        lost = metrics.counter(
            "paygate_logged_requests_lost_total",
            "Calls that are missing in the sandbox's request log: there were too many (overflow),"
            " or they could not be written (failed).",
            ("cause",),
        )
        self._overflow = lost.of("overflow")
        ended = EndedCalls(WAITING_MAX, self._overflow)
        self.add, self._waiting = ended.add, ended.waiting
        self._left, self._lost_before = 0, 0.0
        self._failed = lost.of("failed")

    async def run(self, stopped: asyncio.Event) -> None:
        """Write until stopped, and then what is left."""
        while not stopped.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), EVERY_SECONDS)
            await self.write_some()
        while self._waiting:
            await self.write_some()

    async def write_some(self) -> None:
        """Write what is next, if anything waits."""
        most = BUSY_TOGETHER_MAX if self._is_too_much() else TOGETHER_MAX
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), most))]
        self._left, self._lost_before = len(self._waiting), self._overflow.value
        if not taken:
            return
        try:
            await self._write(taken)
        except DependencyUnavailableError:
            self._failed.value += len(taken)
        except Exception as problem:  # noqa: BLE001  # a log that fails must hurt nobody
            self._failed.value += len(taken)
            # Not what it says: the driver repeats values.
            logger.error("calls were not logged", problem=type(problem).__name__)  # noqa: TRY400

    def _is_too_much(self) -> bool:
        """Tell whether calls were lost since the last time, and more came than can be written."""
        lost = self._overflow.value - self._lost_before
        return lost > 0 and len(self._waiting) - self._left + lost > TOGETHER_MAX

    async def _write(self, taken: list[Ended]) -> None:
        entries: list[Entry] = []
        for start in range(0, len(taken), PIECE):
            if start:
                await asyncio.sleep(0)
            entries.extend(map(entry_of, taken[start : start + PIECE]))
        with translated():
            await self._pool.execute(SQL["store"], *columns_of(entries))
        await self.prune(Tally(call.merchant_id for _, _, _, call in taken))

    async def prune(self, written: Mapping[str, int]) -> None:
        """Remove what is too much of a merchant, about once for each 500 that were written.

        By chance, so that nothing has to be kept of any merchant.
        """
        for merchant_id, count in written.items():
            if secrets.randbelow(PRUNE_EVERY) < count:
                await self._own.fetch(SQL["prune"], merchant_id, KEPT_PER_MERCHANT, PRUNED_MAX)


@asynccontextmanager
async def running(writer: RequestWriter | None) -> AsyncIterator[None]:
    """Write while the block runs, and what is left at its end, for a second at most."""
    if writer is None:
        yield
        return
    stopped = asyncio.Event()
    task = asyncio.create_task(writer.run(stopped))
    try:
        yield
    finally:
        stopped.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(task, END_SECONDS)
