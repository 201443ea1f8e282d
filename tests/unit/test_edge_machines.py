"""The edge whose services run on machines that it knows by address."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tools.edge.machines import PORTS
from tools.stack.settings import REPOSITORY

MACHINES = ("10.0.0.11", "10.0.0.12")
SERVICES = REPOSITORY / "deploy" / "ha" / "services"


def made(output: Path, *machines: str) -> "subprocess.CompletedProcess[str]":
    """Make it as docs/high-availability.md says."""
    command = [sys.executable, "-m", "tools.edge", "production", "--domain", "api.example.com"]
    command += [word for machine in machines for word in ("--machine", machine)]
    command += ["--output", str(output)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_each_service_is_at_its_port_on_all_machines(tmp_path: Path) -> None:
    """And no name is asked for."""
    output = tmp_path / "envoy.yaml"
    ended = made(output, *MACHINES)
    assert ended.returncode == 0, ended.stderr
    clusters = yaml.safe_load(output.read_text())["static_resources"]["clusters"]
    assert {cluster["type"] for cluster in clusters} == {"STATIC"}
    placed = {cluster["name"]: _addresses(cluster) for cluster in clusters}
    for name in PORTS.keys() - {"reflection"}:  # which production has not
        port = PORTS[name]
        assert placed.pop(name) == [
            {"socket_address": {"address": machine, "port_value": port}} for machine in MACHINES
        ]
    # What is left is Envoy itself.
    assert all("pipe" in address for addresses in placed.values() for address in addresses)


def _addresses(cluster: dict[str, Any]) -> list[dict[str, Any]]:
    (endpoints,) = cluster["load_assignment"]["endpoints"]
    return [one["endpoint"]["address"] for one in endpoints["lb_endpoints"]]


def test_services_listen_where_it_looks_for_them() -> None:
    """The ports are those of the machines' settings."""
    at = {
        (path.stem, name): int(port)
        for path in SERVICES.glob("*.env")
        for name, port in re.findall(r"^PAYGATE_(\w+)=.*:(\d+)$", path.read_text(), re.MULTILINE)
    }
    assert at["payments", "LISTEN"] == PORTS["payments"]
    assert at["events", "LISTEN"] == PORTS["events"] == PORTS["reflection"]
    assert at["payments", "METRICS_LISTEN"] == PORTS["health"]
    assert at["relay", "METRICS_LISTEN"] == PORTS["health-webhooks"]


def test_a_name_is_no_machine(tmp_path: Path) -> None:
    """Envoy would refuse it when it starts."""
    ended = made(tmp_path / "envoy.yaml", "node-1")
    assert ended.returncode == 2
    assert "--machine: a machine is an IP address" in ended.stderr
