"""One stack for all processes of a test run."""

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from paygate_testing import keeper
from paygate_testing.errors import SetupError

DEMO_ENV = "demo.env"
READY_SECONDS_MAX = 180.0
_GONE_SECONDS_MAX = 40.0
_LOOK_SECONDS = 0.05
_LINES_SHOWN = 15
_START, _STARTED = "start", "started"
_NO_GATEWAY = (
    "There is no gateway for the tests. Set PAYGATE_URL and PAYGATE_API_KEY; or start one, with"
    " `paygate run` or `make run`; or install the wheel `paygate-sandbox`, for the tests to start."
)


class Shared:
    """A folder that the processes of a test run share, with a stack in it if one is asked for.

    The stack runs until no process has the folder open any more.

    Args:
        folder: Of somebody who has it open; by default a new one.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or _new_folder()
        self._users = (self.folder / keeper.USERS).open("a")
        fcntl.flock(self._users, fcntl.LOCK_SH)

    def address(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Return the stack's PAYGATE_URL and PAYGATE_API_KEY; start it if nobody has done so.

        Raises:
            SetupError: It can't be started; the message says what to do.
        """
        with (self.folder / _START).open("a") as start:
            fcntl.flock(start, fcntl.LOCK_EX)
            if not (self.folder / _STARTED).exists():
                self._start(environment)
            return self._ready()

    def leave(self) -> None:
        """Close it. Whoever has made the folder leaves last, and waits until nothing is left."""
        self._users.close()

    def end(self) -> None:
        """Leave as the last one: return when the stack has ended, and the folder is gone."""
        self.leave()
        if not (self.folder / _STARTED).exists():
            shutil.rmtree(self.folder, ignore_errors=True)
        end = time.monotonic() + _GONE_SECONDS_MAX
        while self.folder.exists() and time.monotonic() < end:
            time.sleep(_LOOK_SECONDS)

    def _start(self, environment: Mapping[str, str]) -> None:
        command = _command(environment)
        (self.folder / _STARTED).touch()
        subprocess.run(  # noqa: S603 - what was installed beside this, or is in the PATH
            [sys.executable, "-I", keeper.__file__, str(self.folder), command, "run"],
            env=self._environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )

    def _environment(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Return what the stack is to be told: data and port of its own, whatever others have."""
        others = {"DATABASE_URL", "ACQUIRER_DATABASE_URL", "PAYGATE_URL", "PAYGATE_API_KEY"}
        return {
            **{name: text for name, text in environment.items() if name not in others},
            "PAYGATE_DATA_DIR": str(self.folder / "data"),
            "PAYGATE_VAULT_KEYRING": str(self.folder / "keys" / "keyring.json"),
            "PAYGATE_PORT": str(_free_port()),
        }

    def _ready(self) -> Mapping[str, str]:
        end = time.monotonic() + READY_SECONDS_MAX
        while True:
            said = read(self.folder / "data" / DEMO_ENV)
            if said:
                return said
            if (self.folder / keeper.ENDED).exists():
                raise SetupError(f"`paygate run` has ended instead of serving:\n{self._output()}")
            if time.monotonic() > end:
                late = f"`paygate run` does not serve after {READY_SECONDS_MAX:.0f} s"
                raise SetupError(f"{late}:\n{self._output()}")
            time.sleep(_LOOK_SECONDS)

    def _output(self) -> str:
        text = (self.folder / keeper.OUTPUT).read_text(errors="replace")
        return "\n".join(text.splitlines()[-_LINES_SHOWN:])


def read(path: Path) -> Mapping[str, str]:
    """Return what a demo.env says; nothing if there is none that may be read."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="paygate-testing-"))
    if os.geteuid() == 0:
        folder.chmod(0o711)  # root's services run as others, who pass through
    return folder


def _command(environment: Mapping[str, str]) -> str:
    """Return the path of the command: of this Python's environment, or else of the PATH."""
    beside = Path(sys.executable).with_name("paygate")
    found = beside if os.access(beside, os.X_OK) else None
    command = found or shutil.which("paygate", path=environment.get("PATH"))
    if not command:
        raise SetupError(_NO_GATEWAY)
    return str(command)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
