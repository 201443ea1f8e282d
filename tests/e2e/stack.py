"""The real stack, `python -m tools.stack run`, started and stopped by tests."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Self

import psutil

from tests.folders import new_folder
from tools.stack.settings import REPOSITORY

READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 60.0


class Stack:
    """One data folder and, while started, one supervisor with all its processes.

    Args:
        workers: How many payments processes.
        environment: More variables for the supervisor, and so for every service.
        data_dir: An existing folder, removed by `close`; a new one by default, in memory.
    """

    module = "tools.stack"

    def __init__(
        self,
        *,
        workers: int = 2,
        environment: Mapping[str, str] | None = None,
        data_dir: Path | None = None,
    ) -> None:
        self.data_dir = data_dir or new_folder()
        self.port = free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "DATABASE_URL"},
            "PAYGATE_PORT": str(self.port),
            "PAYGATE_DATA_DIR": str(self.data_dir),
            "PAYGATE_WORKERS": str(workers),
            "PAYGATE_VAULT_KEYRING": str(self.keyring),
            **(environment or {}),
        }
        self.supervisor: subprocess.Popen[bytes] | None = None
        self._output = self.data_dir.with_name(f"{self.data_dir.name}-output.txt")

    @property
    def keyring(self) -> Path:
        """The file of keys that cards are encrypted under."""
        return self.data_dir.with_name(f"{self.data_dir.name}-keyring.json")

    @property
    def url(self) -> str:
        """The REST address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def grpc(self) -> str:
        """The gRPC address."""
        return f"127.0.0.1:{self.port}"

    @property
    def api_key(self) -> str:
        """The demo merchant's key."""
        return self.demo_env()["PAYGATE_API_KEY"]

    @property
    def output(self) -> str:
        """All that the supervisor printed since it was last started."""
        return self._output.read_text()

    def demo_env(self) -> dict[str, str]:
        """Return what scripts would source."""
        lines = (self.data_dir / "demo.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def pids(self) -> dict[str, int]:
        """Return the running processes: postgres, payments-1 …, events, envoy and the others."""
        try:
            record = json.loads((self.data_dir / "run" / "processes.json").read_text())
        except FileNotFoundError:
            return {}
        return {name: entry["pid"] for name, entry in record.items()}

    def command(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command of the stack on this folder, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "tools.stack", name, *arguments],
            cwd=REPOSITORY,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=READY_SECONDS_MAX,
        )

    def begin(self) -> None:
        """Start the supervisor and do not wait."""
        with self._output.open("wb") as output:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", self.module, "run"],
                cwd=REPOSITORY,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self) -> Self:
        """Start, and return once everything serves."""
        self.begin()
        assert self.supervisor is not None
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not (self.data_dir / "demo.env").exists():
            assert self.supervisor.poll() is None, f"it ended:\n{self.output}"
            assert time.monotonic() < deadline, f"it does not serve:\n{self.output}"
            time.sleep(0.05)
        return self

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Ask the supervisor to end and return its exit code."""
        assert self.supervisor is not None
        self.supervisor.send_signal(number)
        code = self.supervisor.wait(STOP_SECONDS_MAX)
        self.supervisor = None
        return code

    def kill(self, name: str) -> int:
        """Kill -9 one process by its name, and return its id."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def restarted(self, name: str, old_pid: int, *, seconds_max: float = 30.0) -> int:
        """Wait until another process has taken the place of one that died; return its id."""
        deadline = time.monotonic() + seconds_max
        while (pid := self.pids().get(name, old_pid)) == old_pid:
            assert time.monotonic() < deadline, f"{name} is not restarted:\n{self.output}"
            time.sleep(0.05)
        return pid

    def way_to(self, port: int) -> AbstractContextManager[object]:  # others need it
        """Let webhooks reach a port of this machine's loopback interface: here they do anyway."""
        return nullcontext()

    def processes(self) -> list[psutil.Process]:
        """Return every process that has to do with this data folder, wherever it came from."""
        found = []
        for process in psutil.process_iter():
            try:
                shown = (*process.cmdline(), process.cwd(), *process.environ().values())
            except psutil.Error:
                continue
            mine = process.pid == os.getpid()
            if not mine and any(str(self.data_dir) in text for text in shown):
                found.append(process)
        return found

    def close(self) -> None:
        """End whatever runs and remove the data folder, if it was made here."""
        if self.supervisor is not None and self.supervisor.poll() is None:
            self.stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self.keyring.unlink(missing_ok=True)
        self._output.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def new_data_dir() -> Path:
    """Make an empty folder on the disk that PostgreSQL's user can reach."""
    return Path(tempfile.mkdtemp(prefix="paygate-test-"))


def free_port() -> int:
    """Choose a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def serving(stack: Stack) -> AsyncIterator[Stack]:
    """Start a stack, for tests that end parts of it; in the end it stops as it should."""
    with stack:
        await asyncio.to_thread(stack.start)
        yield stack
        assert await asyncio.to_thread(stack.stop) == 0, stack.output
