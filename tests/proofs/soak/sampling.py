"""What a running stack takes: memory, descriptors and threads, and the rows and bytes of tables."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from tests.chaos.test_storm import database_url
from tests.e2e.stack import Stack

PROCESSES_EVERY_SECONDS = 10.0
TABLES_EVERY_SECONDS = 60.0
GONE = (psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError)
_TABLES = """
SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND c.relname <> 'schema_migrations'
"""


@dataclass
class Taken:
    """What one part takes, with the processes that it has started.

    Attributes:
        memory: Bytes that it has written to, and nobody has but it: no files, nothing shared.
        shared: Its part of the bytes that processes share, such as PostgreSQL's buffers.
        all: Its part of all bytes, programs and libraries included (PSS).
    """

    memory: int = 0
    shared: int = 0
    all: int = 0
    descriptors: int = 0
    threads: int = 0
    processes: int = 0

    def add(self, process: psutil.Process) -> None:
        """Count one more process."""
        lines = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()[1:]
        kibibytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
        self.memory += kibibytes["Pss_Anon"] << 10
        self.shared += kibibytes["Pss_Shmem"] << 10
        self.all += kibibytes["Pss"] << 10
        self.descriptors += process.num_fds()
        self.threads += process.num_threads()
        self.processes += 1


@dataclass
class Samples:
    """All that was seen; `seconds` count from the beginning."""

    parts: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    pids: dict[str, set[int]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return what can be written to a file."""
        return {"parts": self.parts, "tables": self.tables}


class Sampler:
    """Looks at a stack again and again.

    Args:
        stack: That runs.
        others: More processes by name, such as a program that listens.
    """

    def __init__(self, stack: Stack, others: Mapping[str, int]) -> None:
        self._stack = stack
        self._others = others
        self._began = time.monotonic()
        self.samples = Samples()

    async def run(self) -> None:
        """Look, until cancelled."""
        async with (
            asyncpg.create_pool(database_url(self._stack, "payments"), min_size=1) as payments,
            asyncpg.create_pool(database_url(self._stack, "acquirer"), min_size=1) as acquirer,
        ):
            pools = {"payments": payments, "acquirer": acquirer}
            tables_due = 0.0
            while True:
                began = time.monotonic()
                await asyncio.to_thread(self._look_at_processes)
                if began >= tables_due:
                    await self._look_at_tables(pools)
                    tables_due = began + TABLES_EVERY_SECONDS - 1
                await asyncio.sleep(max(0.0, began + PROCESSES_EVERY_SECONDS - time.monotonic()))

    def _look_at_processes(self) -> None:
        assert self._stack.supervisor is not None
        parts = {**self._stack.pids(), **self._others, "supervisor": self._stack.supervisor.pid}
        seen: dict[str, Any] = {"seconds": round(time.monotonic() - self._began, 1)}
        for name, pid in parts.items():
            taken = Taken()
            with suppress(*GONE):
                process = psutil.Process(pid)
                family = [] if name == "supervisor" else process.children(recursive=True)
                for one in (process, *family):
                    with suppress(*GONE):  # a connection's, which has ended since
                        taken.add(one)
            seen[name] = asdict(taken)
            self.samples.pids.setdefault(name, set()).add(pid)
        self.samples.parts.append(seen)

    async def _look_at_tables(self, pools: Mapping[str, Any]) -> None:
        seen: dict[str, Any] = {"seconds": round(time.monotonic() - self._began, 1)}
        for database, pool in pools.items():
            for table in await pool.fetch(_TABLES):
                rows = await pool.fetchval(f'SELECT count(*) FROM "{table["name"]}"')  # noqa: S608
                seen[f"{database}.{table['name']}"] = {"rows": rows, "bytes": table["bytes"]}
        self.samples.tables.append(seen)
