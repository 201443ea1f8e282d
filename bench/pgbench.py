"""The database's limit: pgbench on the gateway's own commits, with nothing around them.

An authorization is recorded once as the gateway writes it; the script repeats both of its commits
in groups, with new ids. The rest of the arguments stand in the script, so not even they are sent.
"""

import asyncio
import os
import re
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bench import tools, worker
from bench.driven import BrokenRunError, Driven
from bench.measure import Sample, sample
from bench.server import Server
from bench.systems import SQL, System

MERCHANT = "mer_pgbench"
# As `pkg.postgres.sql.open_pool` sets them.
SESSION = {
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    "enable_material": "off",
    "jit": "off",
    # Where each connection soon ends up by itself; planning anew is not what is measured.
    "plan_cache_mode": "force_generic_plan",
}
IDS = re.compile(r"(pay|act|evt|tok)_[0-9a-z]{26}\Z")
# Sorts by the order of the calls, as an id's time does: so many calls, then the client.
SUFFIX = (
    "'{run}' || lpad((:n::bigint * {size} + g)::text, 16, '0') || lpad(:client_id::text, 4, '0')"
)

NEW = "ARRAY(SELECT ({new})::{kind} FROM generate_series(1, {size}) AS g)"

Statement = tuple[str, Sequence[object]]


async def recorded(system: System) -> list[Statement]:
    """Return the statements of one authorization, with their arguments; once for a database."""
    return await worker.recorded_commits(system.environment)


@dataclass(frozen=True, kw_only=True)
class GroupCase:
    """Both commits of an authorization, in groups of one size."""

    server: Server
    system: System
    statements: list[Statement]
    folder: Path
    size: int
    connections: int

    @property
    def name(self) -> str:
        """What the report calls it."""
        return f"pgbench, our SQL: groups of {self.size}, c={self.connections}"

    async def run(self, seconds: float) -> Sample:
        """Run, and check that every authorization is there.

        Raises:
            BrokenRunError: pgbench failed, or payments are missing.
        """
        run = secrets.token_hex(3)
        script = self.folder / f"pgbench-{run}.sql"
        script.write_text(_script(self.statements, self.size, run))
        log = self.folder / f"pgbench-{run}"
        before = self.system.meter.read()["PostgreSQL"]
        used = tools.children_seconds()
        await self._pgbench(script, log, max(1, round(seconds)))
        used = tools.children_seconds() - used
        cpu = self.system.meter.read()["PostgreSQL"] - before
        times = self._times(log)
        done = times.total()
        (row,) = await self.system.fetch(SQL["count_run"], MERCHANT, f"act_{run}", f"act_{run}~")
        if row["count"] != done or not done:
            raise BrokenRunError(
                f"{self.name}: {done} authorizations, but {row['count']} are there"
            )
        rate = done / max(1, round(seconds))
        driven = Driven(rate=rate, times=times, well=Counter(), cpu_seconds=used)
        return sample(driven, {"PostgreSQL": cpu})

    async def _pgbench(self, script: Path, log: Path, seconds: int) -> None:
        session = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
        process = await asyncio.create_subprocess_exec(
            str(self.server.program("pgbench")),
            *("-n", "-M", "prepared", "-c", str(self.connections), "-j", "1", "-T", str(seconds)),
            *("-f", str(script), "-D", "n=0", "--log", f"--log-prefix={log}"),
            self.system.environment["DATABASE_URL"],
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "PGOPTIONS": session},
        )
        output, _ = await process.communicate()
        if process.returncode:
            raise BrokenRunError(f"pgbench failed: {output.decode()}")

    def _times(self, log: Path) -> Counter[int]:
        times: Counter[int] = Counter()
        for file in log.parent.glob(f"{log.name}.*"):
            if file.suffix != ".sql":
                for line in file.read_text().splitlines():
                    times[int(line.split()[2])] += self.size
        return times


def _script(statements: Sequence[Statement], size: int, run: str) -> str:
    """Return what pgbench repeats."""
    return "\\set n :n + 1\n" + "\n".join(
        _with_literals(sql, arguments, size, run) + ";" for sql, arguments in statements
    )


def _with_literals(sql: str, arguments: Sequence[object], size: int, run: str) -> str:
    """Return a statement with arrays for a whole group in place of its parameters."""
    names = _columns(sql)

    def literal(match: re.Match[str]) -> str:
        number, kind, is_array = int(match[1]) - 1, match[2], match[3]
        if not is_array:
            return f"{_quoted(arguments[number])}::{kind}"
        (value,) = list(arguments[number])  # type: ignore[call-overload]  # one change was recorded
        suffix = SUFFIX.format(run=run, size=size)
        new = None
        if names[number] == "ord":
            new = "g"
        elif names[number] == "key" and value is not None:
            new = suffix
        elif isinstance(value, str) and IDS.match(value):
            new = f"'{value[:4]}' || {suffix}"
        if new:
            return NEW.format(new=new, kind=kind, size=size)
        if names[number] == "merchant_id":
            value = MERCHANT
        return f"array_fill({_quoted(value)}::{kind}, ARRAY[{size}])"

    bare = re.sub(r"--.*", "", sql)
    return re.sub(r"\$(\d+)::(\w+)(\[\])?", literal, bare)


def _columns(sql: str) -> list[str]:
    """Return the names of the array parameters, in order."""
    (columns,) = re.findall(r"AS i \(([^)]*)\)", sql)
    return [name.strip() for name in columns.split(",")][:-1]  # the last is made by ORDINALITY


def _quoted(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    if isinstance(value, datetime):
        return f"'{value.isoformat()}'"
    if isinstance(value, bool | int):
        return f"'{value}'"
    return "'" + str(value).replace("'", "''") + "'"
