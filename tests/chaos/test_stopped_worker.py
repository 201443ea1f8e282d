"""A worker that stands still for longer than its lease, in the middle of writing."""

import asyncio
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from paygate.payments.v1 import payment_service_pb2 as service
from tests.chaos.rig import Process, Rig, gbp
from tests.chaos.test_failpoints import held
from tests.database import as_superuser

BLOCKED = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
LIMIT_SECONDS = 15


def send(process: Process, number: signal.Signals) -> None:
    """Send a signal to a process that runs."""
    assert process.running is not None
    os.kill(process.running.pid, number)


async def stop_in_its_write(
    rig: Rig, database: "asyncpg.Connection[asyncpg.Record]", payment_id: str, hold: Path
) -> None:
    """Let a worker that is held go on to its write; stop it there, and end its statement undone."""
    async with rig.payments_book.acquire() as locking, locking.transaction():
        await locking.fetch("SELECT FROM payments WHERE id = $1 FOR UPDATE", payment_id)
        hold.unlink()  # noqa: ASYNC240  # it costs nothing
        async with asyncio.timeout(LIMIT_SECONDS):
            while not (backend := await database.fetchval(BLOCKED)):
                await asyncio.sleep(0.01)  # what it waits for is in another process
        send(rig.workers[0], signal.SIGSTOP)
        await database.execute("SELECT pg_terminate_backend($1, 5000)", backend)


@pytest.mark.chaos
async def test_the_reply_is_the_one_that_is_stored(
    payments_database_url: str, acquirer_database_url: str, tmp_path: Path
) -> None:
    """Stopped in commit 2, a worker finds the end that it wanted, stored by recovery meanwhile.

    Its own reply would tell another time: it answers with the one that is stored.
    """
    database = await asyncpg.connect(as_superuser(payments_database_url))
    async with Rig(
        payments_database_url,
        acquirer_database_url,
        workers_count=1,
        worker_module=("tests.chaos.failpoints",),
        with_sweep=False,
    ) as rig:
        request = service.CaptureRequest(authorization_id=await rig.authorized(), amount=gbp(400))
        sent, call = await held(rig, request, "commit-2.before", tmp_path)
        await stop_in_its_write(rig, database, request.authorization_id, sent.hold)
        await rig.sweep.start()
        await rig.settled()
        replied = "SELECT reply FROM idempotency_keys WHERE key = $1"
        stored = service.CaptureResponse.FromString(await database.fetchval(replied, sent.key))
        send(rig.workers[0], signal.SIGCONT)
        assert await call == stored  # type: ignore[misc]
    await database.close()
