"""PostgreSQL for tests: the embedded one of `make run`, and databases on it."""

import asyncio
import itertools
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal, Protocol

import asyncpg

from tests.folders import new_folder
from tools.stack import folder
from tools.stack.postgres import OWNER, PARTS, Embedded
from tools.stack.program import spawn
from tools.stack.settings import REPOSITORY, Settings

Service = Literal["payments", "acquirer"]


class Server(Protocol):
    """A server that runs."""

    def url(self, role: str, database: str) -> str:
        """Return the address in the form that asyncpg takes."""


class Databases:
    """Makes databases as copies of a migrated one: milliseconds each, whatever the migrations."""

    def __init__(self, postgres: Server, owner: "asyncpg.Connection[asyncpg.Record]") -> None:
        self._postgres = postgres
        self._owner = owner
        self._migrated: set[Service] = set()
        self._numbers = itertools.count(1)

    async def create(self, service: Service) -> tuple[str, str]:
        """Return the name and the URL of a new database, owned by the service's own role."""
        if service not in self._migrated:
            await migrate(self._postgres, service)
            self._migrated.add(service)
        name = f"{service}_{next(self._numbers)}"
        await self._owner.execute(f"CREATE DATABASE {name} TEMPLATE {service} OWNER {service}")
        return name, self._postgres.url(service, name)

    async def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        await self._owner.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def migrate(postgres: Server, service: Service) -> None:
    """Migrate the service's own database, as its own role, by the tool that `make run` uses."""
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("dbmate")),
        "--url",
        postgres.url(service, service).replace("?host=", "?socket="),
        "--migrations-dir",
        str(REPOSITORY / "services" / service / "migrations"),
        "--no-dump-schema",
        "migrate",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


def as_part(url: str, part: str) -> str:
    """Return the address of a gateway's database for a part of the gateway."""
    assert part in PARTS
    return url.replace("//payments@", f"//{part}@")


def as_superuser(url: str) -> str:
    """Return the address of a gateway's database for whoever runs the server."""
    return url.replace("//payments@", f"//{OWNER}@")


@contextmanager
def postgres_of_its_own() -> Iterator[Embedded]:
    """Make the folders of a server, not started yet, and remove them in the end."""
    data_dir = new_folder()
    data_dir.chmod(0o711)
    settings = Settings(
        port=1,
        data_dir=data_dir,
        workers=1,
        database_url="",
        acquirer_database_url="",
        keyring=data_dir / "keyring.json",
    )
    folder.prepare(settings, None)
    yield Embedded(settings)
    shutil.rmtree((settings.run / "sockets").resolve(), ignore_errors=True)
    shutil.rmtree(data_dir)


@asynccontextmanager
async def running(postgres: Embedded, *, durable: bool = False) -> AsyncIterator[None]:
    """Run a server, with the options of `make run` but not waiting for the disk; then kill it.

    One that is durable waits for the disk.
    """
    program = postgres.program()
    if not durable:
        program = replace(program, command=(*program.command, "-c", "fsync=off"))
    process = await spawn(program)
    try:
        async with asyncio.timeout(30):
            await program.ready()
        yield
    finally:
        process.send_signal(program.quit_signal)
        await process.wait()
