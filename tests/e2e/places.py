"""Every place in which a running stack leaves something behind."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import urllib3
import yaml

from tests.e2e.envoy_admin import asked
from tests.e2e.stack import Stack

ENVOY_PAGES = ("stats", "stats/prometheus", "config_dump?include_eds", "clusters", "listeners")
SECONDS_MAX = 60.0


def places_of(stack: Stack) -> Iterator[tuple[str, bytes]]:
    """Yield each place's name and what is in it: dump, files, WAL, logs, pages, command lines."""
    yield "dump of all databases", dumped(stack)
    for path in sorted(stack.data_dir.rglob("*")):
        # Not PostgreSQL's own programs, which a run as root copies.
        if path.is_file() and not path.relative_to(stack.data_dir).match("postgres-*/**/*"):
            yield str(path.relative_to(stack.data_dir)), _read(path)
    yield "output of make run", stack.output.encode()
    yield from envoy_pages(stack)
    yield from metrics_pages(stack)
    for process in stack.processes():
        yield f"command line of {process.pid}", "\0".join(process.cmdline()).encode()


def dumped(stack: Stack) -> bytes:
    """Return what pg_dumpall writes, having let PostgreSQL write its files too."""
    queried(stack, "postgres", "CHECKPOINT")
    return _run_beside_postgres(stack, "pg_dumpall")


def queried(stack: Stack, database: str, statement: str) -> bytes:
    """Return what a statement of whoever runs the server returns, with bars between the columns."""
    return _run_beside_postgres(stack, "psql", "-d", database, "-Atc", statement)


def _run_beside_postgres(stack: Stack, program: str, *arguments: str) -> bytes:
    programs = Path(psutil.Process(stack.pids()["postgres"]).exe()).parent
    sockets = ("-h", str((stack.data_dir / "run" / "sockets").resolve()), "-U", "postgres")
    return _run(programs / program, *sockets, *arguments)


def envoy_pages(stack: Stack) -> Iterator[tuple[str, bytes]]:
    """Yield what Envoy shows its operator."""
    config = yaml.safe_load((stack.data_dir / "run" / "envoy.yaml").read_text())
    admin = Path(config["admin"]["address"]["pipe"]["path"])
    for page in ENVOY_PAGES:
        got = asked(admin, f"/{page}", seconds_max=SECONDS_MAX)
        assert got.status == 200, page
        yield f"Envoy's /{page}", got.data


def metrics_pages(stack: Stack) -> Iterator[tuple[str, bytes]]:
    """Yield /metrics of every process of ours that has one, wherever it listens."""
    for name, pid in stack.pids().items():
        for connection in psutil.Process(pid).net_connections(kind="tcp"):
            if name in {"envoy", "postgres"} or connection.status != psutil.CONN_LISTEN:
                continue
            address = f"http://{connection.laddr.ip}:{connection.laddr.port}/metrics"
            try:
                got = urllib3.request("GET", address, timeout=2.0, retries=False)
            except urllib3.exceptions.HTTPError:
                continue  # gRPC
            if got.status == 200:
                yield f"/metrics of {name}", got.data


def _run(program: Path, *arguments: str) -> bytes:
    command = [str(program), *arguments]
    done = subprocess.run(command, capture_output=True, check=True, timeout=SECONDS_MAX)
    return done.stdout


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # a segment that PostgreSQL has just recycled
        return b""
