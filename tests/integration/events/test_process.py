"""`python -m services.events relay` as a process: it outlives its database, and ends in time."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import asyncpg

from tests.conftest import NewDatabase
from tests.database import as_part, as_superuser
from tests.integration.events.desk import WEBHOOK_KEY, Desk, until
from tests.integration.events.nats_server import nats_running
from tests.integration.events.receiver import receiving
from tools.stack.ports import free
from tools.stack.probe import http_serving
from tools.stack.settings import REPOSITORY

ROOTS = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "build" / "python")])


def relay(database_url: str, **more: str) -> AbstractAsyncContextManager[Process]:
    """Run a relay; whatever becomes of it, it is gone in the end."""
    return started(("-m", "services.events"), database_url, more)


@asynccontextmanager
async def started(
    program: tuple[str, ...], database_url: str, more: Mapping[str, str]
) -> AsyncIterator[Process]:
    """Run a relay by what Python is told."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *program, "relay"),
        env={
            **os.environ,
            "PYTHONPATH": ROOTS,
            "DATABASE_URL": as_part(database_url, "paygate_events"),
            "PAYGATE_KEY_PEPPER": "0a" * 32,
            "PAYGATE_HASH_KEY": "0b" * 32,
            "PAYGATE_WEBHOOK_KEY": WEBHOOK_KEY,
            **more,
        },
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def ended(process: Process, *, seconds_max: float) -> int:
    """Ask it to end, and return its exit code."""
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(seconds_max):
        return await process.wait()


async def test_events_are_delivered_until_it_is_stopped(
    desk: Desk, payments_database_url: str
) -> None:
    """A relay delivers what happens, and ends at once when nothing is under way."""
    async with receiving() as receiver, relay(payments_database_url) as process:
        await desk.endpoint(receiver.url)
        await desk.captured(await desk.authorized())
        await until(lambda: len(receiver.received) == 2, seconds_max=20)
        assert [one.sequence for one in receiver.received] == [2, 4]
        assert await ended(process, seconds_max=5) == 0


async def test_it_says_that_it_serves_as_soon_as_it_does(payments_database_url: str) -> None:
    """Whoever starts it waits for that, and not until its database is asked a second time."""
    asks_once = (
        "import sys; from pkg.observe import health; health.INTERVAL_SECONDS = 3600;"
        "from services.events.__main__ import main; sys.exit(main())"
    )
    (port,) = free(1)
    place = {"PAYGATE_METRICS_LISTEN": f"127.0.0.1:{port}"}
    async with started(("-c", asks_once), payments_database_url, place), asyncio.timeout(20):
        await http_serving(f"http://127.0.0.1:{port}")


async def test_events_go_to_the_bus_that_is_named(
    desk: Desk, payments_database_url: str, tmp_path: Path
) -> None:
    """With PAYGATE_NATS_URL every event is published too, and webhooks go on as without."""
    async with (
        nats_running(tmp_path) as server,
        receiving() as receiver,
        relay(payments_database_url, PAYGATE_NATS_URL=server.url) as process,
    ):
        await desk.endpoint(receiver.url)
        await desk.captured(await desk.authorized())

        async def published() -> bool:
            left = "SELECT count(*) FROM outbox WHERE publish_time IS NULL"
            return int(await desk.pool.fetchval(left)) == 0

        await until(published, seconds_max=20)
        ids = [event_id for _, event_id, _ in await server.messages()]
        await until(lambda: len(receiver.received) == 2, seconds_max=20)
        assert ids == [one.id for one in receiver.received]
        assert await ended(process, seconds_max=5) == 0


async def test_a_relay_outlives_lost_connections(desk: Desk, payments_database_url: str) -> None:
    """Connections that PostgreSQL ends are opened anew, by the same process."""
    # What was leased when a connection ended is delivered when the lease has.
    lease = {"PAYGATE_DELIVERY_LEASE_SECONDS": "2"}
    async with receiving() as receiver, relay(payments_database_url, **lease) as process:
        await desk.endpoint(receiver.url)
        await desk.authorized()
        await until(lambda: len(receiver.received) == 1, seconds_max=20)
        superuser = await asyncpg.connect(as_superuser(payments_database_url))
        for _ in range(3):
            await superuser.execute(
                """
                SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE application_name = 'paygate-events' AND datname = current_database()
                """
            )
            await asyncio.sleep(0.1)
        await superuser.close()
        await desk.authorized()
        await until(lambda: len(receiver.received) == 2, seconds_max=20)
        assert process.returncode is None
        assert await ended(process, seconds_max=5) == 0


async def test_a_relay_waits_for_its_database(new_database: NewDatabase) -> None:
    """A relay that finds no database does not end but tries again, until it is stopped."""
    nowhere = "postgresql://nobody@127.0.0.1:9/nothing"
    async with relay(nowhere) as process:
        assert process.stderr
        for _ in range(2):
            async with asyncio.timeout(20):
                assert b"the database is not available" in await process.stderr.readline()
        assert await ended(process, seconds_max=5) == 0


async def test_a_receiver_that_hangs_does_not_hold_up_the_end(
    desk: Desk, payments_database_url: str
) -> None:
    """An attempt that outlasts the drain is given up; another relay makes it after the lease."""
    settings = {"PAYGATE_DRAIN_SECONDS": "0.5", "PAYGATE_DELIVERY_LEASE_SECONDS": "2"}
    async with receiving(seconds=30) as receiver:
        await desk.endpoint(receiver.url)
        await desk.authorized()
        async with relay(payments_database_url, **settings) as process:
            await until(lambda: len(receiver.received) == 1, seconds_max=20)
            assert await ended(process, seconds_max=5) == 0
        receiver.seconds = 0
        async with relay(payments_database_url, **settings) as process:
            await until(lambda: len(receiver.received) == 2, seconds_max=20)
            first, second = receiver.received
            assert first.id == second.id


async def test_what_is_missing_is_named_and_nothing_else() -> None:
    """Without its settings a process ends with 2 and names them; no value is repeated."""
    async with relay("postgresql://u:hunter2@/x", PAYGATE_WEBHOOK_KEY="hunter2") as process:
        _, error = await process.communicate()
        assert process.returncode == 2
        assert b"PAYGATE_WEBHOOK_KEY" in error
        assert b"hunter2" not in error
