"""The console's live stream, as it stands in its sources, on the running stack."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import urllib3

from tests.e2e.stack import Stack
from tests.typescript import NODE, needs_node_modules
from tools.stack.settings import REPOSITORY

WATCH = REPOSITORY / "console" / "test" / "watch.ts"
SECONDS_MAX = 30.0
BODY = {
    "card_details": {
        "pan": "4242424242424242",
        "expiry": {"month": 12, "year": 2035},
        "cvv": "123",
    },
    "amount": {"minor_units": "100", "currency": "GBP"},
}
Told = Callable[[], list[str]]


@pytest.fixture
def told(stack: Stack, tmp_path: Path) -> Iterator[Told]:
    """Returns the lines of what was told by now."""
    path = tmp_path / "told.txt"
    with path.open("wb") as output:
        running = subprocess.Popen(
            [str(NODE), str(WATCH)], env={**os.environ, **stack.demo_env()}, stdout=output
        )
    yield lambda: path.read_text().splitlines()
    running.kill()
    running.wait()


def authorized(stack: Stack) -> str:
    """Authorize £1, and return what is to be told of it."""
    headers = {"authorization": f"Bearer {stack.api_key}"}
    reply = urllib3.request("POST", f"{stack.url}/authorize", json=BODY, headers=headers).json()
    return f"payment.authorized {reply['payment']['id']}"


def until(condition: Callable[[], bool], told: Told) -> None:
    """Wait for it."""
    deadline = time.monotonic() + SECONDS_MAX
    while not condition():
        assert time.monotonic() < deadline, told()
        time.sleep(0.02)


@needs_node_modules
def test_what_happens_around_a_break_is_told_once(stack: Stack, told: Told) -> None:
    """The edge dies while events are under way; the stream goes on from the last that was read."""
    until(lambda: "begins" in told(), told)
    before = [authorized(stack) for _ in range(3)]
    until(lambda: before[0] in told(), told)
    before += [authorized(stack) for _ in range(3)]
    stack.restarted("envoy", stack.kill("envoy"))
    until(lambda: told().count("is live") == 2, told)
    after = [authorized(stack) for _ in range(3)]
    until(lambda: set(told()) >= {*before, *after}, told)
    lines = told()
    assert [lines.count(line) for line in (*before, *after)] == [1] * len(before + after)
    assert lines.count("begins") == 1
