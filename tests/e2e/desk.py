"""A merchant at a desk, who types commands."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import urllib3
from typer.testing import CliRunner

from tools.cli.__main__ import app
from tools.stack.settings import REPOSITORY

SECONDS_MAX = 30.0


@dataclass(frozen=True)
class Ended:
    """What a command has printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> list[Any]:
        """What a program would read: an object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True)
class Desk:
    """A merchant who types commands."""

    url: str
    key: str

    def run(self, *arguments: str, code: int = 0) -> Ended:
        """Run a command in this process, which saves the start; it must end with that code."""
        result = CliRunner().invoke(app, arguments, prog_name="paygate", env=self.environment)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return self.checked(Ended(result.exit_code, result.stdout, result.stderr), code)

    def type(self, *arguments: str, code: int = 0) -> Ended:
        """Run the command itself."""
        ended = subprocess.run(
            [REPOSITORY / "paygate", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_MAX,
        )
        return self.checked(Ended(ended.returncode, ended.stdout, ended.stderr), code)

    def checked(self, ended: Ended, code: int) -> Ended:
        """Return how a command has ended, if nothing is there that must not be."""
        assert ended.code == code, ended
        assert "\x1b" not in ended.out + ended.err
        assert "Traceback" not in ended.err
        assert self.key not in ended.out + ended.err
        return ended

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Make a call of the API without the command."""
        headers = {"authorization": f"Bearer {self.key}"}
        reply = urllib3.request(method, self.url + path, json=body, headers=headers)
        assert reply.status == 200, reply.data
        return reply.json()

    @contextmanager
    def following(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command that goes on until Ctrl-C, from when it is ready."""
        process = subprocess.Popen(
            [REPOSITORY / "paygate", *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        try:
            assert "Ready." in process.stderr.readline()
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()

    @property
    def environment(self) -> dict[str, str]:
        """What their terminal has."""
        told = {"PAYGATE_URL": self.url, "PAYGATE_API_KEY": self.key}
        return {**os.environ, **told, "PYTHONUNBUFFERED": ""}


def interrupted(process: subprocess.Popen[str]) -> str:
    """Press Ctrl-C, which is no failure; return what it says at its end."""
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 0, said
    return said
