"""The image paygate/sandbox, which `make sandbox-image` builds: run, killed, and run again."""

import json
import os
import secrets
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from tests.e2e.receiver import Receiver
from tests.e2e.stack import free_port

pytestmark = pytest.mark.skipif(
    os.environ.get("PAYGATE_E2E") != "compose", reason="make e2e-docker"
)

IMAGE = "paygate/sandbox"
DOCKER_SECONDS_MAX = 60.0
HEALTHY_SECONDS_MAX = 120.0
CARD = {"pan": "4242424242424242", "expiry": {"month": 12, "year": 2030}, "cvv": "123"}
PAYMENT = {"card_details": CARD, "amount": {"minor_units": 1000, "currency": "GBP"}}


class Container:
    """One container of the image, with a volume and a network of its own."""

    def __init__(self) -> None:
        self.name = f"paygate-sandbox-{secrets.token_hex(4)}"
        self.port = free_port()
        docker("network", "create", self.name)
        docker(
            *("run", "--detach", "--name", self.name, "--env", "PAYGATE_WORKERS=1"),
            *("--network", self.name),
            *("--add-host", "host.docker.internal:host-gateway"),
            *("--publish", f"127.0.0.1:{self.port}:8080"),
            *("--volume", f"{self.name}:/var/lib/paygate", IMAGE),
        )

    def wait(self) -> None:
        """Wait until its health check says that it serves."""
        deadline = time.monotonic() + HEALTHY_SECONDS_MAX
        while (health := self.inspect("{{.State.Health.Status}}")) != "healthy":
            assert time.monotonic() < deadline, (health, docker("logs", self.name))
            time.sleep(0.2)

    def inspect(self, wanted: str) -> str:
        """Return what docker knows of it."""
        return docker("inspect", "--format", wanted, self.name).strip()

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Send a request with the demo merchant's key, from outside; return the reply."""
        told = docker("exec", self.name, "cat", "/var/lib/paygate/data/demo.env")
        key = told.rpartition("=")[2].strip()
        reply = urllib3.request(
            method,
            f"http://127.0.0.1:{self.port}{path}",
            headers={"authorization": f"Bearer {key}", "content-type": "application/json"},
            body=None if body is None else json.dumps(body),
            timeout=10.0,
        )
        assert reply.status == 200, reply.data
        return reply.json()

    def close(self) -> None:
        """Remove it, and what it had."""
        docker("rm", "--force", "--volumes", self.name)
        docker("volume", "rm", self.name)
        docker("network", "rm", self.name)


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    """It serves."""
    made = Container()
    try:
        made.wait()
        yield made
    finally:
        made.close()


def docker(*arguments: str) -> str:
    """Run docker to its end, which must be well; return what it prints."""
    ended = subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=DOCKER_SECONDS_MAX,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


def test_a_payment_outlives_a_kill(container: Container) -> None:
    """The data is in the volume; after kill -9 it is whole."""
    payment = container.call("POST", "/authorize", PAYMENT)["payment"]["id"]
    docker("kill", container.name)
    docker("start", container.name)
    container.wait()
    assert container.call("GET", f"/payment/{payment}")["payment"]["id"] == payment
    container.call("POST", "/authorize", PAYMENT)
    docker("stop", "--time", "30", container.name)
    assert container.inspect("{{.State.ExitCode}}") == "0"
    docker("start", container.name)
    container.wait()


def test_nothing_runs_as_root(container: Container) -> None:
    """Every process is the image's own user."""
    program = (
        "import glob, os; there = filter(os.path.exists, glob.glob('/proc/[0-9]*'));"
        "print({os.stat(path).st_uid for path in there})"
    )
    assert docker("exec", container.name, "python", "-c", program).strip() == "{10001}"
    assert docker("exec", container.name, "paygate", "open", "--print").startswith("http://127.0.0")


def test_webhooks_reach_the_machine_around_it(container: Container) -> None:
    """By the name that containers have for it, in plain HTTP."""
    receiver = Receiver("0.0.0.0")  # noqa: S104 - the bridge's address is not known
    try:
        url = f"http://host.docker.internal:{receiver.port}/hook"
        container.call("POST", "/webhook-endpoints", {"url": url})
        container.call("POST", "/authorize", PAYMENT)
        receiver.wait("/hook", bool, seconds_max=20.0)
    finally:
        receiver.close()


def test_webhooks_reach_other_containers(container: Container) -> None:
    """By their names, in plain HTTP. This one has no use for them, and says so."""
    shop = f"{container.name}-shop"
    docker(
        *("run", "--detach", "--rm", "--name", shop, "--network", container.name),
        *("--network-alias", "shop", "--entrypoint", "python", IMAGE, "-m", "http.server", "3000"),
    )
    try:
        made = container.call("POST", "/webhook-endpoints", {"url": "http://shop:3000/hook"})
        container.call("POST", f"/webhook-endpoints/{made['endpoint']['id']}/test", {})
        deadline = time.monotonic() + 20.0
        while "http 501" not in (errors := said(container)):
            assert time.monotonic() < deadline, errors
            time.sleep(0.1)
    finally:
        docker("rm", "--force", "--volumes", shop)


def said(container: Container) -> set[str]:
    """Return what was wrong with the attempts for the newest event."""
    event = container.call("GET", "/events")["events"][0]["id"]
    deliveries = container.call("GET", f"/events/{event}/deliveries")["deliveries"]
    return {one["last_error"] for one in deliveries}
