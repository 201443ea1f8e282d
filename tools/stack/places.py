"""Where each process of a run listens, on the loopback interface."""

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.stack import ports
from tools.stack.program import User
from tools.stack.settings import HOST, Settings
from tools.stack.users import Users

EDGE = "envoy"
# Every process of ours, but for the workers; each shows its metrics and its health.
PROCESSES = ("acquirer", "admin", "sweep", "events", "relay")


@dataclass(frozen=True, kw_only=True)
class Places:
    """Ports, all of them held for this run alone.

    Attributes:
        edge: Where clients connect.
        workers: One for each payments worker.
        metrics: Where processes show their metrics, by name; Envoy too.
        held: What holds the ports, for as long as it is open.
    """

    edge: int
    bank: int
    admin: int
    events: int
    workers: tuple[int, ...]
    metrics: Mapping[str, int]
    held: tuple[socket.socket, ...] = field(repr=False)

    @property
    def all(self) -> frozenset[int]:
        """All of them."""
        return frozenset(one.getsockname()[1] for one in self.held)

    def targets(self) -> str:
        """Return where metrics are, as Prometheus reads it from a file (file_sd_config)."""
        found = []
        for name, port in self.metrics.items():
            path = {"__metrics_path__": "/stats/prometheus"} if name == EDGE else {}
            found.append({"targets": [f"{HOST}:{port}"], "labels": {"process": name, **path}})
        return json.dumps(found, indent=2)


def choose(settings: Settings, users: Users) -> Places:
    """Choose the ports of a run, and hold them for who listens there.

    Raises:
        StackError: The gateway's own is taken.
    """
    names = (*PROCESSES, EDGE, *(worker_name(number) for number in range(settings.workers)))
    edge = ports.hold(settings.port, settings.host)
    held = ports.hold_free(len(names) + 3 + settings.workers)
    chosen = [one.getsockname()[1] for one in held]
    _give(edge, users.edge)
    for one in held:
        _give(one, users.services)
    metrics = {name: chosen.pop() for name in names}
    _give(next(one for one in held if one.getsockname()[1] == metrics[EDGE]), users.edge)
    bank, admin, events, *workers = chosen
    return Places(
        edge=settings.port,
        bank=bank,
        admin=admin,
        events=events,
        workers=tuple(workers),
        metrics=metrics,
        held=(edge, *held),
    )


def _give(held: socket.socket, user: User | None) -> None:
    """Let another user join a port: the kernel goes by whose the sockets are."""
    if user:
        os.fchown(held.fileno(), user.uid, user.gid)


def worker_name(number: int) -> str:
    """Return the name of a payments worker; they are counted from 0."""
    return f"payments-{number + 1}"
