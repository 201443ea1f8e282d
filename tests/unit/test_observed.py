"""Health and metrics over HTTP: what is needed decides, and what hangs holds up nobody."""

import asyncio
import socket
import sys

import aiohttp
import pytest

from pkg.errors import MisconfiguredError
from pkg.observe.health import Check, Health
from pkg.observe.metrics import Metrics
from pkg.process.observed import Listening, observed


async def up() -> bool:
    """Answer."""
    return True


async def down() -> bool:
    """Answer that it is not well."""
    return False


async def broken() -> bool:
    """Fail."""
    raise OSError


async def hanging() -> bool:
    """Never answer."""
    await asyncio.Event().wait()
    return True


@pytest.mark.parametrize(
    ("database", "acquirer", "status", "is_ready"),
    [
        (up, up, "SERVING", True),
        (up, down, "DEGRADED", True),
        (up, broken, "DEGRADED", True),
        (down, up, "NOT_SERVING", False),
        (broken, down, "NOT_SERVING", False),
    ],
)
async def test_what_is_needed_decides(
    database: Check, acquirer: Check, status: str, is_ready: bool
) -> None:
    """Without the database nothing goes; without another dependency the rest does."""
    metrics = Metrics()
    health = Health({"database": database, "acquirer": acquirer}, metrics)
    await health.run_once()
    assert health.is_ready is is_ready
    states = {"database": database, "acquirer": acquirer}
    told = {name: "UP" if check is up else "DOWN" for name, check in states.items()}
    assert health.told() == {"status": status, "dependencies": told}
    gauges = metrics.values("paygate_dependency_up")
    assert gauges == {(name,): int(state == "UP") for name, state in told.items()}


async def test_a_dependency_that_hangs_is_down() -> None:
    """After the time that an answer may take it counts as none."""
    checks = {"database": up, "nats": hanging}
    health = Health(checks, Metrics(), answer_seconds_max=0.05)
    async with asyncio.timeout(5):
        await health.run_once()
    assert health.told()["dependencies"] == {"database": "UP", "nats": "DOWN"}


def free_port() -> int:
    """Choose a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(("database", "status"), [(up, 200), (down, 503)])
async def test_the_pages(database: Check, status: int) -> None:
    """Health says it by its status too; life and metrics are there whatever is away."""
    metrics, listen = Metrics(), f"127.0.0.1:{free_port()}"
    async with (
        observed(Listening(listen=listen), metrics, {"database": database}) as health,
        aiohttp.ClientSession(f"http://{listen}") as client,
    ):
        async with client.get("/health") as reply:
            assert (reply.status, await reply.json()) == (status, health.told())
        async with client.get("/health/live") as reply:
            assert (reply.status, await reply.json()) == (200, {"status": "ALIVE"})
        async with client.get("/metrics") as reply:
            text = await reply.text()
            assert reply.status == 200
    assert f'paygate_dependency_up{{dependency="database"}} {float(status == 200)}' in text
    assert "process_cpu_seconds_total" in text


async def test_a_container_asks_its_page() -> None:
    """Content is who finds the page there, and well; nobody answers where nobody listens."""
    listen = f"127.0.0.1:{free_port()}"

    async def asked(page: str) -> int:
        program = (sys.executable, "-m", "pkg.process.healthcheck", f"http://{listen}{page}")
        return await (await asyncio.create_subprocess_exec(*program)).wait()

    async with observed(Listening(listen=listen), Metrics(), {"database": down}):
        pages = ("/health/live", "/health", "/nope")
        assert await asyncio.gather(*map(asked, pages)) == [0, 1, 1]
    assert await asked("/health/live") == 1


async def test_nothing_is_served_where_nothing_is_told() -> None:
    """Without an address the dependencies are not asked either."""
    async with observed(None, Metrics(), {"database": broken}) as health:
        await asyncio.sleep(0)
    assert not health.is_ready


async def test_an_address_that_is_taken_is_said() -> None:
    """The process ends with a line that names the address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(MisconfiguredError, match=listen):
            async with observed(Listening(listen=listen), Metrics(), {}):
                pass
