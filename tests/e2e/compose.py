"""The real stack in containers, started and stopped by tests as `make up` does."""

import json
import os
import subprocess
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Self

import psutil

from tests.cluster import URL
from tests.e2e.stack import Stack
from tests.e2e.tunnel import HOST, into, out_of
from tools.stack.settings import REPOSITORY

UP = REPOSITORY / "deploy" / "compose" / "up"
SECRETS = REPOSITORY / "deploy" / "compose" / "secrets"
UP_SECONDS_MAX = 600.0
EXEC_SECONDS_MAX = 30.0
ADMIN_PORT = 50054


def new_stack(*, workers: int = 2) -> Stack:
    """Return a stack, not started yet: of processes, or of containers if PAYGATE_E2E says so.

    The processes have their own database, or the cluster that PAYGATE_CITUS_URL names.

    Args:
        workers: How many payments processes; of containers there is one.
    """
    if os.environ.get("PAYGATE_E2E") == "compose":
        return ComposeStack()
    if URL:
        bank = URL.replace("//payments@", "//acquirer@").replace("/payments?", "/acquirer?")
        told = {
            "DATABASE_URL": URL,
            "ACQUIRER_DATABASE_URL": bank,
            "PAYGATE_SHARDS": "citus",
        }
        return Stack(workers=workers, environment=told)
    return Stack(workers=workers)


class ComposeStack(Stack):
    """One project of docker compose, with volumes of its own that are removed at the end."""

    def __init__(self) -> None:
        super().__init__(workers=1)
        self.project = f"paygate-e2e-{self.port}"
        self.environment["COMPOSE_PROJECT_NAME"] = self.project
        self._ways = ExitStack()
        self._key = ""
        self._said = ""

    @property
    def api_key(self) -> str:
        """A key of the demo merchant."""
        return self._key

    @property
    def output(self) -> str:
        """What starting and stopping printed."""
        return self._said

    def start(self) -> Self:
        """Start the containers; make the demo merchant, and a way to the admin process."""
        profiles = os.environ.get("PAYGATE_E2E_PROFILES", "").split()
        assert self._run(*profiles) == 0, self._said
        self._paygate("merchants", "create", "Demo", "--id", "mer_demo")
        self._key = self._paygate("keys", "create", "mer_demo").strip()
        port = self._ways.enter_context(into(self._container("admin"), ADMIN_PORT))
        lines = (
            f"PAYGATE_ADMIN_ADDRESS={HOST}:{port}",
            f"PAYGATE_ADMIN_TOKEN_FILE={SECRETS / 'paygate_admin_token'}",
        )
        (self.data_dir / "admin.env").write_text("\n".join(lines))
        return self

    def stop(self, *_: object) -> int:
        """Remove the containers and their volumes, and return the exit code of that."""
        self._ways.close()
        return self._run("reset")

    def processes(self) -> list[psutil.Process]:
        """Return none: they are in containers, which are gone."""
        return []

    def way_to(self, port: int) -> AbstractContextManager[object]:
        """Let the relay, which posts to its own loopback interface, reach a port of this one's."""
        relay = self._container("relay")
        (network,) = self._inspected(relay)["NetworkSettings"]["Networks"].values()
        return out_of(relay, port, gateway=network["Gateway"])

    def close(self) -> None:
        """Remove what is left of it."""
        if self._container("postgres"):
            self.stop()
        super().close()

    def _run(self, *arguments: str) -> int:
        done = subprocess.run(
            [UP, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=UP_SECONDS_MAX,
        )
        self._said = done.stdout + done.stderr
        return done.returncode

    def _paygate(self, *arguments: str) -> str:
        return _docker("exec", self._container("admin"), "./paygate", *arguments)

    def _container(self, service: str) -> str:
        labels = {"project": self.project, "service": service}
        asked = [f"--filter=label=com.docker.compose.{name}={labels[name]}" for name in labels]
        return _docker("ps", "--quiet", *asked).strip()

    def _inspected(self, container: str) -> Any:
        return json.loads(_docker("inspect", container))[0]


def _docker(*arguments: str) -> str:
    done = subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=EXEC_SECONDS_MAX,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
