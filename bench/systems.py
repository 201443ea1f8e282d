"""What is measured: the gateway in its shapes, and peers; each is started here and ended again."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import asyncpg

from bench import worker
from bench.cpu import Meter
from bench.server import Server
from pkg.ids import lowest_id
from pkg.postgres.sql import statements
from tests.database import as_superuser
from tests.e2e.stack import Stack, new_data_dir
from tools.stack import envoy, ports
from tools.stack.errors import StackError
from tools.stack.probe import POLL_SECONDS, grpc_serving, http_serving
from tools.stack.program import Program, explain, spawn
from tools.stack.settings import HOST, REPOSITORY

SQL = statements(Path(__file__).parent / "sql")
START_SECONDS_MAX = 60.0
PEER_PROCESSES = 2
READY = "/health/ready"  # /health is the workers' page, which these do not show
IMPORTS = os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "build" / "python")))


@dataclass(kw_only=True)
class System:
    """Something that takes load.

    Attributes:
        name: In reports.
        doors: The ports to connect to, by protocol: `grpc` and `rest`.
        headers: What each call carries.
        database_url: Of the superuser, to count what calls have done.
        meter: Of its processes.
        merchant: Whose payments are made; empty for a peer.
        environment: The settings of a worker.
        pools: Ids of payments that workloads work on, by what they are for.
    """

    name: str
    doors: Mapping[str, tuple[int, ...]]
    headers: Mapping[str, str]
    database_url: str
    meter: Meter
    merchant: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    pools: dict[str, list[str]] = field(default_factory=dict)

    async def count(self, since: datetime) -> dict[str, int]:
        """Return how many actions of each type have succeeded since then."""
        if self.merchant:
            rows = await self.fetch(SQL["count_actions"], self.merchant, lowest_id("act", since))
        else:
            rows = await self.fetch(SQL["count_events"], lowest_id("evt", since))
        return {row["type"]: row["count"] for row in rows if row["count"]}

    async def fetch(self, statement: str, *arguments: object) -> "list[asyncpg.Record]":
        """Run a statement as the superuser."""
        connection = await asyncpg.connect(self.database_url)
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()

    async def analyze(self) -> None:
        """Give the planner its statistics."""
        await self.fetch("ANALYZE")


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)


@asynccontextmanager
async def paygate(
    server: Server, *, name: str, workers: int, bank: bool = False, edge: bool = False
) -> AsyncIterator[System]:
    """Run workers on a new database.

    Args:
        server: Where the database is made.
        name: In reports.
        workers: How many.
        bank: Whether the bank is a process of its own; otherwise it is in the workers.
        edge: Whether Envoy runs before them.
    """
    url = await server.gateway()
    key = await worker.make_key(url)
    bank_port, shown, entry, events, *listening = ports.free(4 + workers)
    pids = {"PostgreSQL": [server.pid]}
    environment: dict[str, str] = {}
    module = ("services.payments", "serve") if bank else ("bench.worker",)
    async with AsyncExitStack() as stack:
        if bank:
            told = worker.bank_environment(await server.bank(), port=bank_port)
            bank_program = _python(server, name, "bank", ("services.acquirer",), told)
            pids["bank"] = [
                await stack.enter_async_context(
                    _running(bank_program, partial(grpc_serving, bank_port))
                )
            ]
        for number, port in enumerate(listening, start=1):
            environment = worker.environment(
                url,
                port=port,
                bank_port=bank_port,
                keyring=str(server.folder / f"{name}.json".replace(" ", "-")),
            )
            program = _python(server, name, f"worker-{number}", module, environment)
            pid = await stack.enter_async_context(_running(program, partial(grpc_serving, port)))
            pids.setdefault("workers", []).append(pid)
        doors = {"grpc": tuple(listening)}
        if edge:
            config = server.folder / f"envoy-{entry}.yaml"
            unasked: dict[str, list[int]] = {"health": [], "health-webhooks": []}
            services = {"payments": listening, "events": [events], **unasked}
            text = envoy.render(
                port=entry,
                metrics_port=shown,
                admin=server.folder / f"envoy-{entry}.sock",
                services=services,
            )
            config.write_text(text)
            pids["Envoy"] = [await stack.enter_async_context(_edge(server, config, entry))]
            doors |= {"rest": (entry,), "edge": (entry,)}
        yield System(
            name=name,
            doors=doors,
            headers={"authorization": f"Bearer {key}"},
            database_url=as_superuser(url),
            meter=Meter(pids),
            merchant=worker.MERCHANT,
            environment=environment,
        )


@asynccontextmanager
async def peer(server: Server, *, name: str, module: str) -> AsyncIterator[System]:
    """Run a peer on a new database, each of its processes on a port of its own."""
    url = await server.peer()
    listening = ports.free(PEER_PROCESSES)
    rest = module.startswith("fastapi")
    target = f"bench.peers.{module}"
    dialect = url.replace("postgresql://", "postgresql+asyncpg://") if "orm" in module else url
    async with AsyncExitStack() as stack:
        pids = []
        for port in listening:
            command: tuple[str, ...] = (target, str(port))
            if rest:
                options = ("--port", str(port), "--no-access-log", "--log-level", "warning")
                command = ("uvicorn", f"{target}:app", *options)
            program = _python(server, name, str(port), command, {"PEER_DATABASE_URL": dialect})
            ready = partial(_accepting if rest else grpc_serving, port)
            pids.append(await stack.enter_async_context(_running(program, ready)))
        yield System(
            name=name,
            doors={"rest" if rest else "grpc": tuple(listening)},
            headers={},
            database_url=as_superuser(url),
            meter=Meter({"PostgreSQL": [server.pid], "workers": pids}),
        )


@asynccontextmanager
async def whole(*, name: str, workers: int) -> AsyncIterator[System]:
    """Run what `make run` runs, on a PostgreSQL of its own."""
    stack = Stack(workers=workers, data_dir=new_data_dir())
    with stack:
        await asyncio.to_thread(stack.start)
        pids: dict[str, list[int]] = {}
        for process, pid in stack.pids().items():
            kind = {"postgres": "PostgreSQL", "acquirer": "bank", "envoy": "Envoy"}.get(process)
            kind = kind or ("workers" if process.startswith("payments") else "others")
            pids.setdefault(kind, []).append(pid)
        sockets = stack.data_dir / "run" / "sockets"
        yield System(
            name=name,
            doors={"edge": (stack.port,), "rest": (stack.port,)},
            headers={"authorization": f"Bearer {stack.api_key}"},
            database_url=f"postgresql://postgres@/payments?host={sockets.resolve()}",
            meter=Meter(pids),
            merchant="mer_demo",
        )


def _python(
    server: Server,
    system: str,
    process: str,
    command: tuple[str, ...],
    environment: Mapping[str, str],
) -> Program:
    return Program(
        name=f"{system} {process}",
        command=(sys.executable, "-m", *command),
        log=server.log(f"{system}-{process}".replace(" ", "-")),
        directory=REPOSITORY,
        environment={**os.environ, "PYTHONPATH": IMPORTS, **environment},
    )


@asynccontextmanager
async def _edge(server: Server, config: Path, port: int) -> AsyncIterator[int]:
    program = Program(
        name="envoy",
        command=envoy.command(config),
        log=server.log("envoy"),
        directory=REPOSITORY,
        environment={"PATH": os.defpath},
    )
    async with _running(program, partial(http_serving, f"http://{HOST}:{port}", READY)) as pid:
        yield pid


@asynccontextmanager
async def _running(program: Program, ready: Callable[[], Awaitable[None]]) -> AsyncIterator[int]:
    """Run a process until the block ends; yield its id once it serves."""
    process = await spawn(program)
    try:
        serving = asyncio.ensure_future(ready())
        ended = asyncio.ensure_future(process.wait())
        await asyncio.wait(
            {serving, ended}, timeout=START_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED
        )
        if not serving.done():
            serving.cancel()
            raise StackError(explain(program, "does not serve"))
        yield process.pid
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _accepting(port: int) -> None:
    """Return once something listens on the port."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(HOST, port)
            writer.close()
            return
        await asyncio.sleep(POLL_SECONDS)
