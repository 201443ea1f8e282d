"""What runs on one machine, told by the files of deploy/ha."""

import os
import shutil
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.ha import network, shown
from tests.ha.sealed import ROOT, etcd
from tools.edge import machines as edge_machines
from tools.stack import envoy, folder, installation, probe
from tools.stack.program import Program, User, at_once
from tools.stack.settings import REPOSITORY
from tools.stack.users import Users

DEPLOYED = REPOSITORY / "deploy" / "ha"
ADDRESSES = {"node-1": "10.0.0.11", "node-2": "10.0.0.12", "node-3": "10.0.0.13"}
# The third is there so that two of three can tell who leads.
SERVING = ("node-1", "node-2")
# What the files of deploy/ha call a folder, and here is one of all machines.
ETC = ROOT / "etc"
SECRETS = ETC / "secrets"
EDGE_PORT, EDGE_METRICS_PORT = 8080, 9902
# As their environments say.
PORTS = {"acquirer": 50052, "payments": 50051, "events": 50053}
SHOWN = {"sweep": 9461, "relay": 9465, "admin": 9466}
MODULES = {
    "acquirer": ("services.acquirer",),
    "payments": ("services.payments", "serve"),
    "sweep": ("services.payments", "sweep"),
    "admin": ("services.payments", "admin"),
    "events": ("services.events", "serve"),
    "relay": ("services.events", "relay"),
}
READY_SECONDS_MAX = 120.0


@dataclass(frozen=True)
class Machine:
    """One of the three.

    Attributes:
        name: As deploy/ha has it.
        within: The command that enters its network.
        programs: The folder of PostgreSQL's programs, which its user can run.
        logs: Where processes print.
        users: Whom they run as.
    """

    name: str
    within: tuple[str, ...]
    programs: Path
    logs: Path
    users: Users

    @property
    def address(self) -> str:
        """Where the others reach it."""
        return ADDRESSES[self.name]

    @property
    def folder(self) -> Path:
        """What would be /var/lib/paygate there."""
        return ROOT / self.name

    @property
    def keeper(self) -> User:
        """Whom PostgreSQL and Patroni run as, who may make a database too."""
        assert self.users.database
        return installation.maker(self.users.database)

    def etcd(self) -> Program:
        """Return what keeps who leads."""
        program = etcd()
        assert program
        ready = partial(probe.http_serving, f"http://{self.address}:2379")
        return self._program(
            "etcd", (str(program),), self._told(DEPLOYED / "node.env"), ready=ready
        )

    def nats(self) -> Program:
        """Return the bus."""
        where = Path(shutil.which("nats-server") or "nats-server")
        command = (str(shown.through(where)), "--config", str(self._written("nats.conf")))
        return self._program("nats", command, self._told(DEPLOYED / "node.env"))

    def patroni(self) -> Program:
        """Return what runs PostgreSQL, and replaces the one that leads."""
        python, packages = shown.python()
        told = self._told(DEPLOYED / "node.env") | self._told(SECRETS / "patroni.env")
        told |= {"PATRONI_POSTGRESQL_BIN_DIR": str(self.programs), "LC_ALL": "C"}
        config = str(self._written("patroni.yml"))
        return self._program(
            "patroni",
            (python, "-m", "patroni", config),
            {**packages, **told},
            user=self.keeper,
        )

    def service(self, name: str) -> Program:
        """Return a process of paygate's."""
        python, packages = shown.python()
        ready: Callable[[], Awaitable[None]]
        if name in PORTS:
            ready = partial(probe.grpc_serving, PORTS[name], host=self.address)
        else:
            page = f"http://{self.address}:{SHOWN[name]}"
            ready = partial(probe.http_serving, page, "/health/live")
        told = self._told(DEPLOYED / "services" / f"{name}.env")
        command = (python, "-m", *MODULES[name])
        return self._program(name, command, {**packages, **told}, ready=ready)

    def edge(self) -> Program:
        """Return Envoy, which knows the services of both machines."""
        config: dict[str, Any] = envoy.parse(envoy.SOURCE.read_text())
        edge_machines.place(config, [ADDRESSES[name] for name in SERVING])
        resources = config["static_resources"]
        ports = {"edge": EDGE_PORT, "metrics": EDGE_METRICS_PORT}
        resources["listeners"] = [one for one in resources["listeners"] if one["name"] in ports]
        for listener in resources["listeners"]:
            where = {"address": self.address, "port_value": ports[listener["name"]]}
            listener["address"] = {"socket_address": where}
        text = envoy.written(config).replace("/tmp/", f"{self.folder}/")  # noqa: S108  # for its admin page
        for name, path in envoy.FILES.items():
            text = text.replace(name, str(shown.through(path)))
        written = self.folder / "envoy.yaml"
        written.write_text(text)
        command = envoy.command(written, envoy=shown.through(envoy.program()))
        ready = partial(probe.http_serving, f"http://{self.address}:{EDGE_PORT}", "/health/live")
        return self._program("envoy", (*command[:-1], "1"), {}, ready=ready)

    def postmaster(self) -> int:
        """Return the process of PostgreSQL.

        Raises:
            OSError: It does not run.
        """
        return int((self.folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])

    def _told(self, file: Path) -> dict[str, str]:
        """Return the variables that a file of deploy/ha names, for this machine."""
        lines = self._placed(file.read_text()).splitlines()
        return dict(line.split("=", 1) for line in lines if line[:1] not in {"", "#"})

    def _written(self, file: str) -> Path:
        """Write a file of deploy/ha for this machine, and return where."""
        path = self.folder / file
        path.write_text(self._placed((DEPLOYED / file).read_text()))
        return path

    def _placed(self, text: str) -> str:
        here = {"@NAME@": self.name, "@ADDRESS@": self.address}
        here |= {"/etc/paygate": str(ETC), "/var/lib/paygate": str(self.folder)}
        for named, value in here.items():
            text = text.replace(named, value)
        return text

    def _program(
        self,
        name: str,
        command: tuple[str, ...],
        environment: Mapping[str, str],
        *,
        user: User | None = None,
        ready: Callable[[], Awaitable[None]] = at_once,
    ) -> Program:
        return Program(
            name=f"{name}@{self.name}",
            command=command,
            log=self.logs / f"{self.name}-{name}.log",
            directory=Path("/"),
            environment={"PATH": os.defpath, **environment},
            ready=ready,
            ready_seconds_max=READY_SECONDS_MAX,
            stop_signal=signal.SIGKILL,
            user=user or self.users.services,
            within=self.within,
        )


def make_machine(name: str, programs: Path, logs: Path, chosen: Users) -> Machine:
    """Make the network and folders of a machine."""
    machine = Machine(name, network.connect(name, ADDRESSES[name]), programs, logs, chosen)
    folder.make(machine.folder, machine.keeper, mode=0o777)
    for inside, user in (
        ("etcd", chosen.services),
        ("nats", chosen.services),
        ("postgres", machine.keeper),
    ):
        folder.make(machine.folder / inside, user)
    (machine.folder / "secrets").symlink_to(SECRETS)
    return machine
