"""Without a key nobody keeps out those who have one, and Envoy's memory stays bounded."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest
import urllib3

from tests.attack.floods import FLOODS
from tests.attack.good import CALLS_MIN, calling
from tests.e2e.stack import Stack
from tools.stack.settings import REPOSITORY

pytestmark = pytest.mark.attack

# Another one than who calls, and not dealt to the same chain of filters.
ATTACKER = "127.0.0.2"
MEMORY_BYTES_MAX = 700 * 1024 * 1024
SHARE_MIN = 0.95
SLOWER_MAX = 3.0
# Attacker, edge, workers and callers share a machine: what a call may take whatever it took before.
SECONDS_ALLOWED = 0.1


@contextmanager
def attacked(name: str, stack: Stack, seconds: float) -> Iterator[None]:
    """Attack until the block ends."""
    command = (sys.executable, "-m", "tests.attack.floods", name, str(stack.port), ATTACKER)
    with subprocess.Popen(
        [*command, str(seconds + 60.0)], cwd=REPOSITORY, stdout=subprocess.PIPE
    ) as attacker:
        try:
            assert attacker.stdout is not None
            assert attacker.stdout.readline() == b"under way\n"
            yield
            assert attacker.poll() is None
        finally:
            attacker.kill()


ABOUT_HEALTH = {"questions for health", "calls without an end to /health"}


@pytest.mark.parametrize("name", FLOODS)
def test_good_calls_go_on(
    stack: Stack, quiet: dict[str, float], attack_seconds: float, name: str
) -> None:
    """19 of 20 good calls succeed, and the usual one takes a tenth of a second at most.

    Or three times as long as before, where that is more.
    """
    envoy = psutil.Process(stack.pids()["envoy"])
    with attacked(name, stack, attack_seconds), calling(stack) as calls:
        largest, end = 0, time.monotonic() + attack_seconds
        while time.monotonic() < end:
            largest = max(largest, envoy.memory_info().rss)
            time.sleep(0.1)
    assert largest < MEMORY_BYTES_MAX
    for protocol, one in calls.items():
        said = f"{protocol}: {one.share:.3f}, {one.median:.4f} s after {quiet[protocol]:.4f} s"
        assert len(one.seconds) >= CALLS_MIN, said
        assert one.share >= SHARE_MIN, (said, one.failed[:3])
        assert one.median <= max(SLOWER_MAX * quiet[protocol], SECONDS_ALLOWED), said


@pytest.mark.parametrize("name", sorted(ABOUT_HEALTH))
def test_who_floods_health_is_refused_alone(stack: Stack, attack_seconds: float, name: str) -> None:
    """A monitor elsewhere hears that all is well while somebody asks a thousand times."""
    pool = urllib3.PoolManager(retries=False, timeout=5.0)
    said = []
    with attacked(name, stack, attack_seconds):
        end = time.monotonic() + attack_seconds
        while time.monotonic() < end:
            reply = pool.request("GET", f"{stack.url}/health")
            said.append((reply.status, reply.json().get("status")))
            time.sleep(0.2)
    assert set(said) == {(200, "SERVING")}
