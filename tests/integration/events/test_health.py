"""The health of a relay as a process: what is away is named, and comes back."""

from collections.abc import Mapping
from pathlib import Path

import aiohttp

from tests.chaos.rig import free_port
from tests.integration.events.desk import until
from tests.integration.events.nats_server import nats_running
from tests.integration.events.test_process import relay

NOWHERE = "postgresql://nobody@127.0.0.1:9/nothing"


class Asked:
    """A process that is asked how it does."""

    def __init__(self) -> None:
        self.listen = f"127.0.0.1:{free_port()}"

    async def ask(self, page: str = "/health") -> tuple[int, Mapping[str, object]] | None:
        """Return the status and what is told; None while it does not answer."""
        try:
            async with (
                aiohttp.ClientSession(f"http://{self.listen}") as client,
                client.get(page) as reply,
            ):
                return reply.status, await reply.json()
        except aiohttp.ClientError:
            return None

    async def says(self, status: int, told: Mapping[str, object]) -> None:
        """Wait until it says so."""

        async def said() -> bool:
            return await self.ask() == (status, told)

        await until(said, seconds_max=20)


async def test_without_its_database_it_lives_and_can_do_nothing() -> None:
    """Health is 503, which is no reason to restart it: life is 200."""
    asked = Asked()
    async with relay(NOWHERE, PAYGATE_METRICS_LISTEN=asked.listen):
        await asked.says(503, {"status": "NOT_SERVING", "dependencies": {"database": "DOWN"}})
        assert await asked.ask("/health/live") == (200, {"status": "ALIVE"})


async def test_without_the_bus_it_does_less(payments_database_url: str, tmp_path: Path) -> None:
    """A bus that goes away is named, and named again as there when it is back."""
    asked = Asked()
    fine = {"status": "SERVING", "dependencies": {"database": "UP", "nats": "UP"}}
    less = {"status": "DEGRADED", "dependencies": {"database": "UP", "nats": "DOWN"}}
    async with nats_running(tmp_path) as server:
        settings = {"PAYGATE_METRICS_LISTEN": asked.listen, "PAYGATE_NATS_URL": server.url}
        async with relay(payments_database_url, **settings):
            await asked.says(200, fine)
            await server.kill()
            await asked.says(200, less)
            await server.start()
            await asked.says(200, fine)


async def test_an_address_that_cannot_be_had_is_said() -> None:
    """The process ends with 2, and names the address."""
    async with relay(NOWHERE, PAYGATE_METRICS_LISTEN="192.0.2.1:9464") as process:
        _, error = await process.communicate()
        assert process.returncode == 2
        assert b"192.0.2.1:9464" in error
