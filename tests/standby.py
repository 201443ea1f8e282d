"""PostgreSQL with a synchronous standby, each of which can be frozen and killed."""

import asyncio
import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import psutil

from tests.database import Server as Source
from tests.database import Service, migrate
from tools.stack.postgres import OPTIONS, OWNER, Embedded
from tools.stack.program import Program, run_to_end, spawn

CHANGED_SECONDS_MAX = 60.0
NUMBERS = itertools.count(1)
WAITING = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


class Server:
    """One PostgreSQL of a pair, in a folder of its own. It does not wait for the disk."""

    def __init__(self, like: Program, folder: Path | None = None) -> None:
        self._like = like
        # Not pytest's own folder: as root, PostgreSQL runs as somebody who may not enter that.
        self.folder = folder or Path(tempfile.mkdtemp(prefix="paygate-pair-", dir="/tmp"))
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.data = self.folder / "data"
        if like.user:
            os.chown(self.folder, like.user.uid, like.user.gid)
        self._process: asyncio.subprocess.Process | None = None

    def url(self, role: str, database: str) -> str:
        """Return the address in the form that asyncpg takes."""
        return f"postgresql://{role}@/{database}?host={self.folder}"

    async def copy(self, source: Source) -> None:
        """Become a copy of a server that runs."""
        (host,) = parse_qs(urlsplit(source.url(OWNER, "postgres")).query)["host"]
        target = ("--pgdata", str(self.data), "--no-sync", "--checkpoint", "fast")
        await run_to_end(self._program("pg_basebackup", *target, "-h", host, "-U", OWNER))

    async def start(self, *, standby_of: "Server | None" = None) -> None:
        """Start, and return when it lets somebody in."""
        options = {**OPTIONS, "unix_socket_directories": str(self.folder), "fsync": "off"}
        if standby_of:
            (self.data / "standby.signal").touch()
            options["primary_conninfo"] = f"host={standby_of.folder} user={OWNER}"
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        program = self._program("postgres", "-D", str(self.data), *flags)
        self._process = await spawn(program)
        async with asyncio.timeout(CHANGED_SECONDS_MAX):
            await self._answers()

    @property
    def is_running(self) -> bool:
        """Whether it was not killed; frozen or not."""
        return bool(self._processes())

    def freeze(self) -> None:
        """Stop every process of it, as on a machine that hangs."""
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):  # a connection's, which has just ended
                process.suspend()

    def thaw(self) -> None:
        """Let it go on."""
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    async def kill(self) -> None:
        """End every process of it with -9, if it runs."""
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self._process:
            await self._process.wait()

    async def ask(self, statement: str) -> object:
        """Return what a statement of the superuser returns."""
        connection = await asyncpg.connect(self.url(OWNER, "postgres"))
        try:
            value: object = await connection.fetchval(statement)
        finally:
            await connection.close()
        return value

    async def until(self, statement: str) -> None:
        """Wait until a statement of the superuser returns true."""
        async with asyncio.timeout(CHANGED_SECONDS_MAX):
            while not await self.ask(statement):
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        """End it, and remove its folder."""
        await self.kill()
        shutil.rmtree(self.folder)

    def _program(self, name: str, *arguments: str) -> Program:
        command = str(Path(self._like.command[0]).with_name(name))
        return replace(self._like, command=(command, *arguments))

    def _processes(self) -> list[psutil.Process]:
        if self._process is None or self._process.returncode is not None:
            return []
        postmaster = psutil.Process(self._process.pid)
        return [postmaster, *postmaster.children(recursive=True)]

    async def _answers(self) -> None:
        while True:
            with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError):
                await self.ask("SELECT 1")
                return
            await asyncio.sleep(0.02)


@dataclass
class Pair:
    """A primary that waits for its standby with every commit."""

    primary: Server
    standby: Server
    like: Program

    def url(self, role: str, database: str) -> str:
        """Return the address of whichever is the primary, in the form that asyncpg takes."""
        hosts = f"{self.standby.folder},{self.primary.folder}"
        return f"postgresql://{role}@/{database}?host={hosts}&target_session_attrs=primary"

    async def create(self, service: Service) -> str:
        """Make an empty database, on both; return its name."""
        name = f"paired_{next(NUMBERS)}"
        await self.primary.ask(f"CREATE DATABASE {name} TEMPLATE {service} OWNER {service}")
        # What is received is not replayed yet: a client that tries the standby first would fail.
        where = await self.primary.ask("SELECT pg_current_wal_flush_lsn()::text")
        await self.standby.until(f"SELECT pg_last_wal_replay_lsn() >= '{where}'")
        return name

    async def heal(self) -> None:
        """Let a frozen standby go on, and put a new one in the place of one that was killed.

        At its address: who knows both servers goes on knowing them.
        """
        if self.standby.is_running:
            self.standby.thaw()
        else:
            await self.standby.close()
            self.standby = await standby_of(self.primary, self.like, self.standby.folder)

    async def promote(self) -> None:
        """Make the standby the primary; the one that was the primary has been killed."""
        await self.standby.ask("SELECT pg_promote()")
        self.primary, self.standby = self.standby, self.primary

    @asynccontextmanager
    async def read_only(self) -> AsyncIterator[None]:
        """Have the primary refuse writes, as managed ones do when their disks are full."""
        name = "default_transaction_read_only"
        for change in (f"ALTER SYSTEM SET {name} = on", "SELECT pg_reload_conf()"):
            await self.primary.ask(change)
        await self.primary.until(f"SELECT current_setting('{name}') = 'on'")
        try:
            yield
        finally:
            for change in (f"ALTER SYSTEM RESET {name}", "SELECT pg_reload_conf()"):
                await self.primary.ask(change)
            await self.primary.until(f"SELECT current_setting('{name}') = 'off'")

    async def until_waiting(self, count: int = 1) -> None:
        """Wait until that many commits wait for the standby."""
        await self.primary.until(f"SELECT count(*) >= {count} {WAITING}")

    async def until_kept(self) -> None:
        """Wait until no commit waits for the standby any more."""
        await self.primary.until(f"SELECT count(*) = 0 {WAITING}")

    async def end_waits(self, how: str = "pg_cancel_backend") -> None:
        """Do what an operator should not do: end every wait for the standby."""
        await self.primary.ask(f"SELECT count({how}(pid)) {WAITING}")


async def standby_of(primary: Server, like: Program, folder: Path | None = None) -> Server:
    """Make a synchronous standby, in a folder of its own or in this one."""
    standby = Server(like, folder)
    # First, so that the copy has it: a standby that is promoted waits for nobody.
    await primary.ask("ALTER SYSTEM RESET synchronous_standby_names")
    await standby.copy(primary)
    await standby.start(standby_of=primary)
    await primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
    await primary.ask("SELECT pg_reload_conf()")
    await primary.until("SELECT bool_or(sync_state = 'sync') FROM pg_stat_replication")
    return standby


@asynccontextmanager
async def paired(embedded: Embedded) -> AsyncIterator[Pair]:
    """Make a pair out of a copy of a server that runs."""
    like = embedded.program()
    primary = Server(like)
    await primary.copy(embedded)
    await primary.start()
    await asyncio.gather(*(migrate(primary, service) for service in ("payments", "acquirer")))
    pair = Pair(primary, await standby_of(primary, like), like)
    try:
        yield pair
    finally:
        await pair.primary.close()
        await pair.standby.close()
