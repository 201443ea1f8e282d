"""All three machines with all that runs on them, and a look into both books."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import nats
from nats.js.api import StreamConfig

from services.events.nats_bus import STREAM, SUBJECTS
from tests.chaos.books import Books
from tests.ha import cluster, network, shown
from tests.ha.cluster import Look
from tests.ha.machine import (
    ADDRESSES,
    DEPLOYED,
    EDGE_PORT,
    ETC,
    SECRETS,
    SERVING,
    Machine,
    make_machine,
)
from tests.ha.sealed import ROOT
from tests.keys import new_key_by
from tools.stack import as_root, database, folder, installation, users
from tools.stack.program import Program
from tools.stack.settings import REPOSITORY
from tools.stack.supervisor import Supervisor

RESTART_SECONDS_MAX = 1.0
DUPLICATE_WINDOW_SECONDS = 600.0
URLS = [f"http://{ADDRESSES[name]}:{EDGE_PORT}" for name in SERVING]


@dataclass(frozen=True)
class Rig:
    """The machines, which run."""

    machines: dict[str, Machine]
    programs: Sequence[Program]
    record: Path
    books: Books
    api_key: str

    def pid(self, name: str) -> int | None:
        """Return the process of a program, such as `payments@node-1`, while it runs."""
        running = json.loads(self.record.read_text())
        return int(running[name]["pid"]) if name in running else None

    def kill(self, name: str) -> int:
        """End a program with -9, and return which process that was."""
        pid = self.pid(name)
        assert pid, f"{name} does not run"
        os.kill(pid, signal.SIGKILL)
        return pid

    async def whole(self) -> str:
        """Return the machine that leads, once nothing is missing on any machine."""
        await asyncio.gather(*(program.ready() for program in self.programs))
        return await cluster.whole()

    async def pending(self) -> list[str]:
        """Return the actions that have no end yet."""
        rows = await self.books.payments.fetch("SELECT id FROM actions WHERE status = 'PENDING'")
        return [row["id"] for row in rows]


@asynccontextmanager
async def running(logs: Path) -> AsyncIterator[Rig]:
    """Start everything in the order in which an operator would, and say how far it is."""
    machines, record = _machines(logs), ROOT / "processes.json"
    supervisor = Supervisor(record, print, pause_seconds_max=RESTART_SECONDS_MAX)
    programs = _Programs(machines, supervisor)
    await programs.start(*(machine.etcd() for machine in machines.values()))
    await programs.start(
        *(machine.patroni() for machine in machines.values()),
        *(machine.nats() for machine in machines.values()),
    )
    tending = asyncio.create_task(supervisor.tend())
    leads = await cluster.leader()
    _make_roles(machines[leads], logs)
    await _make_stream()
    for service, secret in (("payments", "database_url"), ("acquirer", "acquirer_database_url")):
        await database.migrate((SECRETS / secret).read_text(), service=service, logs=logs)
    await cluster.whole()
    print("PostgreSQL, etcd and NATS serve on three machines.", flush=True)
    serving = [machines[name] for name in SERVING]
    for tier in (("acquirer", "admin"), ("payments", "sweep", "events", "relay")):
        await programs.start(*(machine.service(one) for machine in serving for one in tier))
    await programs.start(*(machine.edge() for machine in serving))
    print("All services and Envoy serve on two of them.", flush=True)
    pepper = (SECRETS / "paygate_key_pepper").read_text()
    key = await new_key_by((SECRETS / "admin_database_url").read_text(), "mer_ha", pepper)
    books = Books(Look("database_url"), Look("acquirer_database_url"))
    yield Rig(machines, programs.started, record, books, key)
    tending.cancel()


class _Programs:
    """Starts them, and knows all that were started."""

    def __init__(self, machines: dict[str, Machine], supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self.started: list[Program] = []

    async def start(self, *programs: Program) -> None:
        """Start some together, and return once they serve."""
        self.started += programs
        await self._supervisor.start(*programs)


def _machines(logs: Path) -> dict[str, Machine]:
    """Make networks, folders and secrets, and let the services read what they run."""
    for name in as_root.COMPILED:
        as_root.compile_for_others(REPOSITORY / name)
    chosen = users.choose(ROOT)
    assert chosen.database
    shown.show()
    network.make_bridge()
    folder.make(ETC, mode=0o755)
    subprocess.run([str(DEPLOYED / "make-secrets"), str(SECRETS)], check=True, capture_output=True)
    SECRETS.chmod(0o755)
    folder.make(ETC / "keys", chosen.services)
    found = installation.programs(ROOT, installation.maker(chosen.database))
    return {name: make_machine(name, found, logs, chosen) for name in ADDRESSES}


def _make_roles(leader: Machine, logs: Path) -> None:
    """Make roles and databases as docs/high-availability.md says."""
    told = {
        "PATH": f"{leader.programs}:{os.defpath}",
        "PAYGATE_SECRETS_DIR": str(SECRETS),
        "PGHOST": leader.address,
        "PGPASSWORD": (SECRETS / "postgres_password").read_text(),
    }
    with (logs / "roles.log").open("wb") as log:
        subprocess.run(
            [str(REPOSITORY / "deploy" / "compose" / "roles.sh")],
            check=True,
            env=told,
            stdout=log,
            stderr=log,
        )


async def _make_stream() -> None:
    """Make the stream of events on all three, as docs/high-availability.md says."""
    servers = (SECRETS / "paygate_nats_url").read_text().split(",")
    async with asyncio.timeout(30):
        client = await nats.connect(servers)
        while True:
            try:
                await client.jetstream().add_stream(
                    StreamConfig(
                        name=STREAM,
                        subjects=[SUBJECTS],
                        num_replicas=len(ADDRESSES),
                        duplicate_window=DUPLICATE_WINDOW_SECONDS,
                    )
                )
                break
            except nats.errors.Error:  # the three have not found each other yet
                await asyncio.sleep(0.2)
        await client.close()
