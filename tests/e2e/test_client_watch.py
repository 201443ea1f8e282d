"""The clients watch on, whatever dies meanwhile: nothing is missed, and nothing comes twice."""

import asyncio
import os

from paygate_client import AsyncPaygate, Paygate
from tests.e2e.stack import Stack
from tests.e2e.test_watch_outage import is_well, listed, payments_until
from tests.e2e.watcher import AUTHORIZE, client, watching
from tests.typescript import CLIENT, CLIENT_IS_INSTALLED, NODE

# Longer than anything here is away; nobody waits for that long.
PATIENCE_SECONDS = 60.0
LAST = "the last one"


async def by_asyncio(stack: Stack, cursor: str) -> list[str]:
    """Watch until the last event; return the ids of all."""
    found = []
    async with AsyncPaygate(stack.url, stack.api_key) as paygate:
        async for event in paygate.events.watch(cursor=cursor, deadline_seconds=PATIENCE_SECONDS):
            found.append(event.id)
            if event.payment and event.payment.reference == LAST:
                break
    return found


async def by_a_thread(stack: Stack, cursor: str) -> list[str]:
    """Do the same with the client that blocks."""

    def work() -> list[str]:
        found = []
        with Paygate(stack.url, stack.api_key) as paygate:
            for event in paygate.events.watch(cursor=cursor, deadline_seconds=PATIENCE_SECONDS):
                found.append(event.id)
                if event.payment and event.payment.reference == LAST:
                    break
        return found

    return await asyncio.to_thread(work)


async def by_typescript(stack: Stack, cursor: str) -> list[str]:
    """Do the same in Node, as the README shows it."""
    variables = {"PAYGATE_URL": stack.url, "PAYGATE_API_KEY": stack.api_key, "CURSOR": cursor}
    running = await asyncio.create_subprocess_exec(
        *(str(NODE), "follow.ts"),
        cwd=CLIENT,
        env={**os.environ, **variables},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        told, _ = await running.communicate()
    finally:
        if running.returncode is None:
            running.kill()
    assert running.returncode == 0
    return told.decode().split()[::2]


async def test_clients_watch_on_while_the_edge_and_the_worker_die(lonely: Stack) -> None:
    """Envoy, then the process of the events, each killed while payments go on."""
    ways = [by_asyncio, by_a_thread] + [by_typescript] * CLIENT_IS_INSTALLED
    async with client(lonely) as asking:
        async with watching(asking) as (_, told):
            cursor = (await anext(told))["cursor"]
        watches = asyncio.gather(*(way(lonely, cursor) for way in ways))
        done = asyncio.Event()
        paying = asyncio.create_task(payments_until(lonely, done))
        for part in ("envoy", "events"):
            await asyncio.sleep(1.0)
            pid = lonely.kill(part)
            await asyncio.to_thread(lonely.restarted, part, pid)
        async with asyncio.timeout(20):
            while not await is_well(asking):
                await asyncio.sleep(0.1)
        done.set()
        paid = await paying
        await listed(asking)
        last = await asking.post("/authorize", json={**AUTHORIZE, "reference": LAST})
        assert last.status_code == 200
        async with asyncio.timeout(PATIENCE_SECONDS):
            found = await watches
        assert len(paid) > 20
    async with AsyncPaygate(lonely.url, lonely.api_key) as paygate:
        paid.append(last.json()["payment"]["id"])
        events = [one async for one in paygate.events.list()]
    told_of = {one.id: one.payment.id for one in events if one.payment}
    for ids in found:
        assert sorted(told_of[one] for one in ids) == sorted(paid)
        assert ids == [one.id for one in reversed(events) if one.id in ids]
