"""A disk without room stops nothing for good: `make run` says so, goes on, and heals."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import urllib3

from tests.e2e.stack import Stack, new_data_dir

pytestmark = pytest.mark.root

SECONDS_MAX = 60.0
DISK = "size=400m,mode=0711"
AUTHORIZATION = {
    "card_details": {
        "pan": "4242424242424242",
        "expiry": {"month": 12, "year": 2030},
        "cvv": "123",
    },
    "amount": {"minor_units": 1000, "currency": "GBP"},
}


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small disk of its own."""
    folder = new_data_dir()
    mounting = ["mount", "-t", "tmpfs", "-o", DISK, "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mounting, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        folder.rmdir()
        pytest.skip("no small disk can be made in this container")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
    folder.rmdir()


def fill(disk: Path) -> Path:
    """Leave no room on a disk; return what takes it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return filler


def authorize(stack: Stack) -> int:
    """Authorize once; return the status, 0 for none."""
    headers = {"authorization": f"Bearer {stack.api_key}", "content-type": "application/json"}
    try:
        return urllib3.request(
            "POST",
            f"{stack.url}/authorize",
            headers=headers,
            body=json.dumps(AUTHORIZATION),
            retries=False,
            timeout=10.0,
        ).status
    except urllib3.exceptions.HTTPError:
        return 0


def until(stack: Stack, text: str) -> None:
    """Wait until the supervisor has said something."""
    deadline = time.monotonic() + SECONDS_MAX
    while text not in stack.output:
        assert time.monotonic() < deadline, stack.output
        time.sleep(0.05)


def test_a_full_disk_is_survived(disk: Path) -> None:
    """Processes that die are started again without room; with room everything is as before."""
    with Stack(workers=1, data_dir=disk) as stack:
        stack.start()
        filler = fill(disk)
        for name in ("payments-1", "sweep", "envoy", "postgres"):
            os.kill(stack.pids()[name], 9)
        until(stack, "can't be written (No space left on device): going on.")
        authorize(stack)  # whatever comes of it
        assert stack.supervisor is not None
        supervisor = psutil.Process(stack.supervisor.pid)
        filler.unlink()
        until(stack, "is written again")
        deadline = time.monotonic() + SECONDS_MAX
        while authorize(stack) != 200:
            assert time.monotonic() < deadline, stack.output
            time.sleep(0.1)
        running = {child.pid for child in supervisor.children()}
        assert set(stack.pids().values()) == running
        assert stack.stop() == 0
