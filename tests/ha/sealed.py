"""Namespaces of our own: whatever runs in them, its networks and its files end with them.

The kernel sees to that when the first process in there ends, however it ends. Nothing of it shows
in the host's network, process list or file systems.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tools.stack.settings import REPOSITORY

# A folder that every system has, under a file system in memory that only we see.
ROOT = Path("/mnt")
_UNSHARED = ("--mount", "--net", "--pid", "--ipc", "--uts")
_ENTERING = ("unshare", *_UNSHARED, "--fork", "--kill-child=SIGKILL", "--mount-proc", "--")
_TRIAL = "mount -t tmpfs none /mnt && ip link add trial type bridge && ip link add veth-a type veth"


def why_not() -> str:
    """Return why there can be no such machines here; nothing if there can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "it needs Linux and root, for networks of its own"
    for program, package in (
        ("unshare", "util-linux"),
        ("nsenter", "util-linux"),
        ("ip", "iproute2"),
    ):
        if shutil.which(program) is None:
            return f"there is no `{program}`: install {package}"
    if etcd() is None:
        return "there is no etcd: `make etcd`, or install etcd-server"
    if importlib.util.find_spec("patroni") is None:
        return "Patroni is not installed: `make venv-ha`"
    tried = subprocess.run(
        entered(["sh", "-c", _TRIAL]), check=False, capture_output=True, text=True
    )
    if tried.returncode:
        return f"the kernel gives no namespaces or networks: {tried.stderr.strip()}"
    return ""


def etcd() -> Path | None:
    """Return the program, installed or got by `make etcd`."""
    got = REPOSITORY / ".tools" / "etcd"
    found = str(got) if got.exists() else shutil.which("etcd")
    return Path(found) if found else None


def enter(arguments: list[str]) -> NoReturn:
    """Become this program in namespaces of its own, which end with it."""
    command = entered([sys.executable, "-m", "tests.ha", "--inside", *arguments])
    os.execvp(command[0], command)  # noqa: S606  # no shell is wanted


def entered(command: list[str]) -> list[str]:
    """Return what runs a command in namespaces of its own."""
    return [*_ENTERING, *command]


def settle_in() -> None:
    """Be what adopts and buries orphans in there, and go on as a child of that.

    A server whose parent is gone, and which nobody buries, is taken for one that still runs.
    """
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "paygate-ha", str(ROOT)], check=True)
    child = os.fork()
    if child == 0:
        return

    def forward(number: int, _frame: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal tells the child as well
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
