"""Merchants whose endpoints hang or flood, beside one whose endpoint is well."""

import asyncio
import re
import statistics
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest

from tests.attack import hostile
from tests.attack.forms import sized
from tests.integration.events.desk import Desk, opened, running, until
from tests.integration.events.receiver import receiving

pytestmark = pytest.mark.attack

SECONDS = sized(3, full=60)
LAG_SECONDS_MAX = 1.0
GROWTH_KIB_MAX = 64 * 1024
ENDPOINTS, PAYMENTS = 20, 40  # of each attacker
GOOD, ATTACKERS = "mer_good", ("mer_bad_1", "mer_bad_2")


@pytest.fixture
async def desk(payments_database_url: str) -> AsyncIterator[Desk]:
    """A desk on an empty database, with the limits that a process has."""
    async with opened(payments_database_url) as desk:
        yield desk


@asynccontextmanager
async def misbehaving(how: str) -> AsyncIterator[str]:
    """Run hostile endpoints; what they do must not take this process' time."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, hostile.__file__, how, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.kill()
        await process.wait()


async def attack(desk: Desk, base: str) -> None:
    """Give each attacker its endpoints, and events for all of them."""
    for merchant_id in ATTACKERS:
        for number in range(ENDPOINTS):
            await desk.endpoint(f"{base}/{number}", merchant_id=merchant_id)
        await asyncio.gather(*(desk.authorized(merchant_id=merchant_id) for _ in range(PAYMENTS)))


async def lags(desk: Desk, seconds: float) -> list[float]:
    """Return how long each event of the good merchant was on its way, at a steady rate."""
    async with receiving() as receiver:
        await desk.endpoint(receiver.url, merchant_id=GOOD)
        began, committed = monotonic(), {}
        while monotonic() - began < seconds:
            payment = await desk.authorized(merchant_id=GOOD)
            committed[payment.id] = monotonic()
            await asyncio.sleep(0.05)
        await until(lambda: len(receiver.received) >= len(committed), seconds_max=30)
        return [got.time - committed[got.payment_id] for got in receiver.received]


# The deliverer runs in this process.
STATUS, FORGOTTEN = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def memory_kib(name: str) -> int:
    """Return what the kernel says of this process: `VmRSS`, or `VmHWM`, the most that it was."""
    found = re.search(rf"^{name}:\s+(\d+) kB$", STATUS.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def begin_at(kib: int) -> None:
    """Let the kernel forget how large this process was, whatever ran in it before."""
    FORGOTTEN.write_text("5")
    assert memory_kib("VmHWM") < kib + GROWTH_KIB_MAX


@pytest.mark.parametrize("how", ["hang", "flood"])
async def test_endpoints_that_misbehave_hold_up_no_other_merchant(desk: Desk, how: str) -> None:
    """Two merchants with twenty each; a third's events are on their way for a second at most."""
    before = memory_kib("VmRSS")
    begin_at(before)
    # The hostile ones go first: that ends the attempts which the deliverer would wait for.
    async with running(desk.relay.run, desk.deliverer.run), AsyncExitStack() as stack:
        await attack(desk, await stack.enter_async_context(misbehaving(how)))
        waited = await lags(desk, SECONDS)

    p95 = statistics.quantiles(waited, n=20)[-1]
    assert p95 <= LAG_SECONDS_MAX, f"median {statistics.median(waited)}, worst {max(waited)}"
    assert memory_kib("VmHWM") - before <= GROWTH_KIB_MAX
