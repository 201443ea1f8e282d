"""PostgreSQL as `make run` has it, waiting for the disk, with a database for each system."""

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from tests.database import migrate
from tools.stack import folder, installation, users
from tools.stack.postgres import OWNER, Embedded
from tools.stack.program import spawn
from tools.stack.settings import Settings

# Decides only how many connections there may be; all systems of a scene run at once.
WORKERS_MAX = 24
PEER_SCHEMA = (Path(__file__).parent / "peers" / "schema.sql").read_text()


@dataclass
class Server:
    """A running PostgreSQL."""

    postgres: Embedded
    pid: int
    folder: Path
    _migrated: set[str] = field(default_factory=set)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def gateway(self) -> str:
        """Make a database of the gateway and return its address, as the tables' owner."""
        return await self._copy("payments")

    async def bank(self) -> str:
        """Make a database of the bank and return its address."""
        return await self._copy("acquirer")

    async def peer(self) -> str:
        """Make a database for a peer and return its address."""
        name = f"peer_{next(self._numbers)}"
        await self._execute(f"CREATE DATABASE {name} OWNER payments")
        url = self.postgres.url("payments", name)
        connection = await asyncpg.connect(url)
        await connection.execute(PEER_SCHEMA)
        await connection.close()
        return url

    def program(self, name: str) -> Path:
        """Return one of PostgreSQL's programs, such as `pgbench`."""
        return installation.programs(self.folder, users.choose(self.folder).database) / name

    def log(self, name: str) -> Path:
        """Return where a process of that name logs."""
        return self.folder / "logs" / f"{name}.log"

    async def _copy(self, service: str) -> str:
        assert service in {"payments", "acquirer"}
        if service not in self._migrated:
            await migrate(self.postgres, "payments" if service == "payments" else "acquirer")
            self._migrated.add(service)
        name = f"{service}_{next(self._numbers)}"
        await self._execute(f"CREATE DATABASE {name} TEMPLATE {service} OWNER {service}")
        return self.postgres.url(service, name)

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self.postgres.url(OWNER, "postgres"))
        await connection.execute(statement)
        await connection.close()


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    """Run a server on a new folder, and remove it in the end."""
    # Not in the user's own folders: as root, PostgreSQL runs as somebody who may not enter those.
    data_dir = Path(tempfile.mkdtemp(prefix="paygate-bench-"))
    data_dir.chmod(0o711)
    settings = Settings(
        port=1,
        data_dir=data_dir,
        workers=WORKERS_MAX,
        database_url="",
        acquirer_database_url="",
        keyring=data_dir / "keyring.json",
    )
    folder.prepare(settings, None)
    postgres = Embedded(settings)
    await postgres.initialise()
    program = postgres.program()
    process = await spawn(program)
    try:
        await program.ready()
        await postgres.make_databases()
        pid = int((postgres.data / "postmaster.pid").read_text().split("\n", 1)[0])
        yield Server(postgres, pid, data_dir)
    finally:
        process.send_signal(program.quit_signal)
        await process.wait()
        postgres.remove_sockets()
        shutil.rmtree(data_dir)
