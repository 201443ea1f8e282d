"""`make run` starts, heals, stops and starts again without losing anything.

Most tests here use one data folder, one after the other: each begins with what the ones before it
left, as on a developer's machine.
"""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import urllib3

from paygate.admin.v1 import admin_service_pb2 as pb
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack

CARD = {"pan": "4242424242424242", "expiry": {"month": 12, "year": 2030}, "cvv": "123"}
GONE_SECONDS_MAX = 15.0
# By what its start is interrupted, and when, in seconds from its first step: one after the other,
# in one folder, which at first is empty.
INTERRUPTED = (
    (
        *((signal.SIGINT, moment) for moment in (0.0, 0.2, 0.4, 0.7, 1.0, 2.0)),
        *((signal.SIGTERM, moment) for moment in (0.3, 1.2)),
        (signal.SIGHUP, 0.5),
    )
    if os.environ.get("PAYGATE_CHAOS") == "full"
    else ((signal.SIGINT, 0.0), (signal.SIGTERM, 0.3), (signal.SIGHUP, 0.5), (signal.SIGINT, 0.7))
)


@pytest.fixture(scope="module")
def lived() -> Iterator[Stack]:
    """A stack that tests stop, kill and start."""
    with Stack(workers=2) as stack:
        yield stack


@pytest.fixture
def running(lived: Stack) -> Stack:
    """The same, serving."""
    return lived if lived.supervisor else lived.start()


def call(
    stack: Stack, method: str, path: str, body: object = None
) -> tuple[int, dict[str, object]]:
    """Send one request with the demo merchant's key, trying again while a worker is away."""
    headers = {"authorization": f"Bearer {stack.api_key}", "content-type": "application/json"}
    deadline = time.monotonic() + GONE_SECONDS_MAX
    while True:
        reply = urllib3.request(
            method,
            stack.url + path,
            headers=headers,
            body=None if body is None else json.dumps(body),
            retries=urllib3.Retry(connect=20, redirect=0, backoff_factor=0.1, read=0),
            timeout=10.0,
        )
        if reply.status != 503 or time.monotonic() > deadline:
            return reply.status, reply.json()
        time.sleep(0.1)


def authorize(stack: Stack) -> str:
    """Authorize £10 and return the payment's id."""
    body = {"card_details": CARD, "amount": {"minor_units": 1000, "currency": "GBP"}}
    status, reply = call(stack, "POST", "/authorize", body)
    assert status == 200, reply
    payment = reply["payment"]
    assert isinstance(payment, dict)
    return str(payment["id"])


def no_process_of(stack: Stack) -> bool:
    """Say whether all processes on this data folder are gone, giving them a moment."""
    deadline = time.monotonic() + GONE_SECONDS_MAX
    while stack.processes():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def permissions(path: Path) -> list[tuple[Path, int, int]]:
    """Return mode and owner of every folder above."""
    return [(above, above.stat().st_mode, above.stat().st_uid) for above in path.parents]


def left_as_before(data_dir: Path) -> None:
    """Have a folder as older versions left it: open to others; for root, with `nobody`'s files."""
    for path in data_dir.iterdir():
        if path.is_file():
            path.chmod(0o644)
    if os.geteuid() == 0:
        for path in (data_dir / "postgres", *(data_dir / "postgres").rglob("*")):
            os.chown(path, 65_534, 65_534, follow_symlinks=False)
        for path in (data_dir / "secrets").iterdir():
            os.chown(path, 0, 0)


def test_only_its_user_can_read_keys_and_logs(running: Stack) -> None:
    """Keys, secrets, logs and the database are closed to other users."""
    closed = ["demo.env", "admin.env", "secrets", "secrets/paygate_key_pepper", "logs", "postgres"]
    for name in closed:
        assert (running.data_dir / name).stat().st_mode & 0o077 == 0, name


def test_demo_env_can_be_sourced(running: Stack) -> None:
    """demo.env holds plain assignments of the two addresses and the key."""
    assert running.demo_env() == {
        "PAYGATE_URL": running.url,
        "PAYGATE_GRPC": running.grpc,
        "PAYGATE_API_KEY": running.api_key,
    }
    assert running.api_key.startswith("sk_")


def test_ready_prints_the_path_of_demo_env(running: Stack) -> None:
    """`ready` says where demo.env is, once it serves."""
    ended = running.command("ready")
    assert (ended.returncode, ended.stdout) == (0, f"{running.data_dir / 'demo.env'}\n")


def test_a_second_run_on_the_same_folder_is_refused(running: Stack) -> None:
    """Two runs never share a data folder, and neither does `reset`."""
    for command in ("run", "reset"):
        ended = running.command(command)
        assert ended.returncode == 1
        assert "Another run uses the data folder" in ended.stderr
    assert call(running, "GET", "/payments")[0] == 200


@pytest.mark.parametrize(
    "name",
    ["payments-1", "payments-2", "acquirer", "sweep", "events", "relay", "envoy", "postgres"],
)
def test_a_killed_process_is_started_again(running: Stack, name: str) -> None:
    """After kill -9 of any one process the gateway serves again and has lost nothing."""
    payment = authorize(running)
    running.restarted(name, running.kill(name))
    assert running.command("ready").returncode == 0
    assert call(running, "GET", f"/payment/{payment}")[0] == 200
    authorize(running)


def test_data_survives_a_restart(running: Stack) -> None:
    """A payment, the demo key and the folder modes are the same after a stop and a start.

    What an older version has left open is closed. A secret that it lacks is made; the others stay.
    """
    above = permissions(running.data_dir)
    payment, key = authorize(running), running.api_key
    assert running.stop() == 0
    assert no_process_of(running)
    assert not (running.data_dir / "demo.env").exists()
    assert not (running.data_dir / "admin.env").exists()
    secrets = {path.name: path.read_text() for path in (running.data_dir / "secrets").iterdir()}
    (running.data_dir / "secrets" / "paygate_webhook_key").unlink()
    left_as_before(running.data_dir)
    running.start()
    (demo_key,) = running.data_dir.glob("demo-key-*")
    for closed in (running.data_dir / "lock", demo_key):
        assert closed.stat().st_mode & 0o077 == 0
    assert running.api_key == key
    assert call(running, "GET", f"/payment/{payment}")[0] == 200
    assert permissions(running.data_dir) == above
    assert call(running, "GET", "/webhook-endpoints")[0] == 200
    for name, text in secrets.items():
        kept = (running.data_dir / "secrets" / name).read_text() == text
        assert kept is (name != "paygate_webhook_key"), name


def test_a_demo_key_that_was_revoked_is_replaced(running: Stack) -> None:
    """A start makes a new key where the kept one works no more."""
    first = running.api_key
    Operator(running).ask(pb.RevokeApiKeyRequest(id=first.split("_")[1]))
    assert running.stop() == 0
    assert running.start().api_key != first
    assert call(running, "GET", "/payments")[0] == 200


def test_killing_the_supervisor_leaves_nobody(running: Stack) -> None:
    """After kill -9 of the supervisor its processes end by themselves, and a new run works."""
    payment = authorize(running)
    running.stop(signal.SIGKILL)
    stale = (running.data_dir / "demo.env").exists()
    assert stale, "this test is about an old demo.env"
    assert running.command("ready", "--timeout", "0.3").returncode == 1
    assert no_process_of(running)
    (running.data_dir / "demo.env").unlink()
    running.start()
    assert call(running, "GET", f"/payment/{payment}")[0] == 200


def test_a_run_may_follow_a_killed_one_at_once(running: Stack) -> None:
    """A new run waits for what a killed one left, also for a PostgreSQL that nobody stopped."""
    postgres = psutil.Process(running.pids()["postgres"])
    postgres.suspend()  # so that the kernel's signal at the supervisor's death waits
    running.stop(signal.SIGKILL)
    (running.data_dir / "demo.env").unlink()
    running.begin()
    time.sleep(0.5)
    postgres.resume()
    deadline = time.monotonic() + 30.0
    while not (running.data_dir / "demo.env").exists():
        assert time.monotonic() < deadline, running.output
        time.sleep(0.1)
    authorize(running)


def test_reset_empties_the_folder(running: Stack) -> None:
    """After `reset` nothing is left, and the next run begins with a new key."""
    payment, key = authorize(running), running.api_key
    running.stop()
    assert running.command("reset").returncode == 0
    assert not running.data_dir.exists()
    running.start()
    assert running.api_key != key
    assert call(running, "GET", f"/payment/{payment}")[0] == 404


def test_a_second_signal_ends_it_at_once(running: Stack) -> None:
    """A second Ctrl-C does not wait for anybody."""
    supervisor = running.supervisor
    assert supervisor is not None
    sweep = psutil.Process(running.pids()["sweep"])
    sweep.suspend()  # would never stop by itself
    began = time.monotonic()
    os.kill(supervisor.pid, signal.SIGINT)
    time.sleep(0.5)
    running.stop(signal.SIGINT)
    assert time.monotonic() - began < 10.0
    assert no_process_of(running)


@pytest.mark.chaos
def test_a_signal_at_any_moment_of_set_up_leaves_nobody() -> None:
    """However early it is stopped, it ends well, no process stays, and the next start works."""
    with Stack(workers=1) as stack:
        for number, moment in INTERRUPTED:
            stack.begin()
            while "Starting" not in stack.output:
                time.sleep(0.01)
            time.sleep(moment)
            assert stack.stop(number) == 0, (number, moment, stack.output)
            assert "Traceback" not in stack.output
            assert no_process_of(stack), (number, moment)
        stack.start()
        authorize(stack)
