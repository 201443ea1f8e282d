"""What other users of the machine that `make run` is on can do to it: nothing."""

import itertools
import json
import os
import pwd
import socket
import stat
import subprocess
import time
from pathlib import Path
from secrets import token_hex
from typing import Any

import psutil
import pytest
import urllib3

from paygate.admin.v1 import admin_service_pb2 as admin
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack

AMOUNT = {"minor_units": 1000, "currency": "GBP"}
BACK_SECONDS_MAX = 20.0


def open_to_others(folder: Path) -> dict[str, str]:
    """Return what of a folder others may read, write, or connect to, with its mode."""
    found = {}
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        # A folder that they may pass through shows nothing; links have no mode of their own. The
        # group of a socket is one that only the services are in.
        closed = 0o066 if stat.S_ISDIR(mode) else 0o007 if stat.S_ISSOCK(mode) else 0o077
        if not stat.S_ISLNK(mode) and mode & closed:
            found[str(path.relative_to(folder))] = stat.filemode(mode)
    # PostgreSQL's programs are everybody's, as in the virtual environment.
    return {name: mode for name, mode in found.items() if not name.startswith("postgres-")}


def test_the_data_folder_is_closed(stack: Stack) -> None:
    """Of all that is in it, others can read nothing, nor hold its lock."""
    assert open_to_others(stack.data_dir) == {}
    assert stack.data_dir.stat().st_mode & 0o066 == 0


@pytest.mark.root
def test_nothing_keeps_roots_rights(stack: Stack) -> None:
    """Each part runs as a user of its own, whom nobody else can be, and can't become another."""
    users: dict[str, set[int]] = {}
    for name, pid in stack.pids().items():
        part = name if name in {"postgres", "envoy"} else "services"
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            users.setdefault(part, set()).update(process.uids())
            said = dict(
                line.split(":\t", 1)
                for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
            )
            rights = {said[kind] for kind in ("CapInh", "CapPrm", "CapEff", "CapAmb")}
            assert rights == {"0" * 16}, name
            assert (said["NoNewPrivs"], said["Groups"].strip()) == ("1", "")
    assert all(len(uids) == 1 for uids in users.values()), users
    (postgres,), (envoy,), (services,) = users["postgres"], users["envoy"], users["services"]
    assert len({postgres, envoy, services}) == 3
    assert not {postgres, envoy, services} & {one.pw_uid for one in pwd.getpwall()}


@pytest.mark.root
@pytest.mark.parametrize(
    ("who", "role", "refused"),
    [
        ("nobody", "postgres", "Permission denied"),
        ("nobody", "paygate_gateway", "Permission denied"),
        ("envoy", "paygate_gateway", "Permission denied"),
        ("payments-1", "postgres", "Peer authentication failed"),
        ("payments-1", "payments", "Peer authentication failed"),
        ("payments-1", "paygate_gateway", ""),
    ],
)
def test_who_may_be_whom_in_the_database(stack: Stack, who: str, role: str, refused: str) -> None:
    """Its superuser is root alone, and nobody but the services gets in at all."""
    uid = pwd.getpwnam(who).pw_uid if who == "nobody" else uid_of(stack, who)
    psql = Path(psutil.Process(stack.pids()["postgres"]).exe()).with_name("psql")
    sockets = str((stack.data_dir / "run" / "sockets").resolve())
    command = [str(psql), "-h", sockets, "-U", role, "-d", "payments", "-c", "SELECT 1"]
    asked = subprocess.run(
        command,
        user=uid,
        group=uid,
        extra_groups=[],
        cwd="/",
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=BACK_SECONDS_MAX,
        check=False,
    )
    assert (asked.returncode == 0) is not bool(refused), asked.stderr
    assert refused in asked.stderr


@pytest.mark.root
@pytest.mark.parametrize("name", ["secrets", "run/envoy", "postgres"])
def test_each_part_reaches_its_own_alone(stack: Stack, name: str) -> None:
    """Envoy can't read secrets, the services neither the database's files nor Envoy's page."""
    owners = {"secrets": "payments-1", "run/envoy": "envoy", "postgres": "postgres"}
    for part in owners.values():
        uid = uid_of(stack, part)
        listing = subprocess.run(
            ["/bin/ls", str((stack.data_dir / name).resolve())],
            user=uid,
            group=uid,
            extra_groups=[],
            capture_output=True,
            check=False,
        )
        assert (listing.returncode == 0) is (part == owners[name]), part


def uid_of(stack: Stack, name: str) -> int:
    """Return whom a process of the stack runs as."""
    return psutil.Process(stack.pids()[name]).uids().real


def test_only_the_edge_and_the_services_listen(stack: Stack) -> None:
    """Envoy has one port for clients and one for metrics; its admin page has none."""
    envoy = psutil.Process(stack.pids()["envoy"])
    listening = {
        connection.laddr
        for connection in envoy.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    targets = json.loads((stack.data_dir / "run" / "metrics.json").read_text())
    (shown,) = [one["targets"] for one in targets if one["labels"]["process"] == "envoy"]
    edge = stack.url.removeprefix("http://")
    assert {f"{place.ip}:{place.port}" for place in listening} == {edge, *shown}


@pytest.mark.parametrize("name", ["payments-1", "admin", "envoy"])
def test_nobody_takes_the_place_of_a_process_that_died(stack: Stack, name: str) -> None:
    """Until it is back, its ports are no one's: nobody gets the calls, and the cards in them."""
    process = psutil.Process(stack.pids()[name])
    ports = {
        connection.laddr.port
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert len(ports) == 2
    stack.kill(name)
    process.wait(5)
    taken = []
    deadline = time.monotonic() + BACK_SECONDS_MAX
    while not all(answers(port) for port in ports):
        taken += [port for port in ports if can_be_taken(port)]
        assert time.monotonic() < deadline
    assert taken == []
    assert stack.command("ready").returncode == 0


def test_no_webhook_reaches_paygates_own_ports(stack: Stack, operator: Operator) -> None:
    """A merchant's endpoint that is one of them, by whatever name, is refused at each attempt."""
    merchant_id = f"mer_inside_{token_hex(4)}"
    operator.ask(admin.CreateMerchantRequest(id=merchant_id, name=merchant_id))
    call = Caller(stack.url, operator.new_key(merchant_id))
    ports = listening_in(stack)
    assert len(ports) > 10
    hosts = itertools.cycle(("127.0.0.1", "127.0.0.2", "localhost", "[::1]"))
    wanted = [f"http://{next(hosts)}:{port}/logging" for port in ports]
    made = [call("POST", "/webhook-endpoints", {"url": url}) for url in wanted]
    endpoints = [one["endpoint"]["id"] for one in made]
    card = {"pan": "4242424242424242", "expiry": {"month": 12, "year": 2030}, "cvv": "123"}
    call("POST", "/authorize", {"card_details": card, "amount": AMOUNT, "reference": "inside"})
    (event,) = call("GET", "/events")["events"]
    deadline = time.monotonic() + BACK_SECONDS_MAX
    errors: dict[str, str] = {}
    while len(errors) < len(endpoints):
        assert time.monotonic() < deadline, errors
        deliveries = call("GET", f"/events/{event['id']}/deliveries?page_size=100")["deliveries"]
        errors = {one["endpoint_id"]: one["last_error"] for one in deliveries if one["attempts"]}
    assert errors == dict.fromkeys(endpoints, "address not allowed")


class Caller:
    """The REST API, with one key."""

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    def __call__(self, method: str, path: str, body: object = None) -> Any:
        """Return what it answers, which has to be well."""
        reply = urllib3.request(
            method,
            self._url + path,
            headers=self._headers,
            body=None if body is None else json.dumps(body),
            timeout=10.0,
        )
        assert reply.status == 200, reply.data
        return reply.json()


def listening_in(stack: Stack) -> set[int]:
    """Return every port that a process of the stack listens on."""
    return {
        connection.laddr.port
        for pid in stack.pids().values()
        for connection in psutil.Process(pid).net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }


def can_be_taken(port: int) -> bool:
    """Tell whether a program may listen on a port that is not given to it."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if os.geteuid() == 0:  # who can be another user, and ask for more
            os.fchown(other.fileno(), 65_534, 65_534)
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            other.bind(("127.0.0.1", port))
            other.listen()
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Tell whether somebody listens on a port."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
