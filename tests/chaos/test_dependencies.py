"""What the gateway stands on goes away: clients are told in time, and it heals by itself."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import psutil
import pytest
import urllib3

from tests.chaos.books import Books
from tests.chaos.clients import (
    ANSWER_SECONDS_MAX,
    AWAY_SECONDS,
    BACK_SECONDS_MAX,
    CLIENTS,
    HEALED_SECONDS_MAX,
    PENDING,
    PENDING_ANSWER_SECONDS_MAX,
    SUCCEEDED,
    THINK_SECONDS,
    clients_of,
)
from tests.chaos.rig import Rig
from tests.chaos.test_storm import database_url
from tests.e2e.stack import Stack, serving
from tests.integration.events.nats_server import NatsServer, nats_running
from tests.observability.shown import pages

# A bank that takes connections and does not answer is known to be away after pings and the grace.
MISSED_SECONDS_MAX = 20.0


@asynccontextmanager
async def books_of(stack: Stack) -> AsyncIterator[Books]:
    """Look into both databases of a stack."""
    async with (
        asyncpg.create_pool(database_url(stack, "payments"), min_size=1) as payments,
        asyncpg.create_pool(database_url(stack, "acquirer"), min_size=1) as bank,
    ):
        yield Books(payments, bank)


@pytest.fixture(scope="module")
async def bus(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[NatsServer]:
    """Where the stack's events go."""
    async with nats_running(tmp_path_factory.mktemp("bus")) as running:
        yield running


@pytest.fixture(scope="module")
async def stack(bus: NatsServer) -> AsyncIterator[Stack]:
    """One for all that goes away here: it heals by itself, and stops as it should at the end."""
    async with serving(Stack(workers=2, environment={"PAYGATE_NATS_URL": bus.url})) as running:
        yield running


async def assert_health(stack: Stack, process: str, dependency: str, *, is_up: bool) -> None:
    """What a process's `/health` says of a dependency, soon: the one place that asks it."""
    wanted = "UP" if is_up else "DOWN"
    async with asyncio.timeout(HEALED_SECONDS_MAX):
        while await asyncio.to_thread(dependency_of, stack, process, dependency) != wanted:
            await asyncio.sleep(THINK_SECONDS)


def dependency_of(stack: Stack, process: str, dependency: str) -> str:
    """Return what a process says of a dependency, on whichever port it says it."""
    (said,) = pages(stack.pids()[process], ("/health",), kind="application/json")
    state: str = json.loads(said)["dependencies"][dependency]
    return state


async def assert_edge(stack: Stack, status: int, dependency: str, *, is_up: bool) -> None:
    """What the edge's `/health` says of a dependency, soon; it takes requests whatever is away."""
    wanted = (200, status, "UP" if is_up else "DOWN")
    async with asyncio.timeout(HEALED_SECONDS_MAX):
        while await asyncio.to_thread(edge_says, stack, dependency) != wanted:
            await asyncio.sleep(THINK_SECONDS)


def edge_says(stack: Stack, dependency: str) -> tuple[int, int, str | None]:
    """Return the statuses of the edge's own readiness and of health, and the dependency's state."""
    pages = (f"{stack.url}/health/ready", f"{stack.url}/health")
    ready, health = (urllib3.request("GET", url, retries=False, timeout=5.0) for url in pages)
    return ready.status, health.status, health.json()["dependencies"].get(dependency)


@pytest.mark.chaos
async def test_a_restarted_database(stack: Stack) -> None:
    """While PostgreSQL restarts clients get 503 in time, and after it everybody has one payment."""
    async with clients_of(stack.grpc, stack.api_key) as clients:
        async with clients.busy():
            await asyncio.sleep(1.0)
            pid = stack.pids()["postgres"]
            os.kill(pid, signal.SIGINT)  # as an operator restarts it
            await asyncio.to_thread(stack.restarted, "postgres", pid)
            await clients.healed()
            await asyncio.sleep(1.0)
        assert set(clients.answers) <= {SUCCEEDED, PENDING, "DEPENDENCY_UNAVAILABLE"}
        assert clients.answers["DEPENDENCY_UNAVAILABLE"], clients.answers
        assert clients.longest_seconds <= ANSWER_SECONDS_MAX
        await clients.told_in_the_end()
        await assert_health(stack, "payments-1", "database", is_up=True)
        await assert_edge(stack, 200, "database", is_up=True)
        async with books_of(stack) as books:
            await books.settled()
            await books.assert_agree()


@pytest.mark.chaos
async def test_a_database_that_hangs(stack: Stack) -> None:
    """While PostgreSQL does not answer at all clients get 503 or 504 in time; then it goes on."""
    async with clients_of(stack.grpc, stack.api_key) as clients:
        async with clients.busy():
            await asyncio.sleep(0.5)
            hung = [stack.pids()["postgres"], *backends(stack)]
            for pid in hung:
                os.kill(pid, signal.SIGSTOP)
            try:
                await asyncio.sleep(AWAY_SECONDS)
                await assert_health(stack, "payments-1", "database", is_up=False)
                await assert_edge(stack, 503, "database", is_up=False)
            finally:
                for pid in hung:
                    os.kill(pid, signal.SIGCONT)
            await clients.healed()
        # Who waited for a place in a group, for the group, and then for how it had ended, may have
        # waited for longer than the edge does.
        told = {SUCCEEDED, PENDING, "DEPENDENCY_UNAVAILABLE", "DEADLINE_EXCEEDED"}
        assert set(clients.answers) <= told
        assert clients.answers["DEPENDENCY_UNAVAILABLE"], clients.answers
        assert clients.longest_seconds <= ANSWER_SECONDS_MAX
        await clients.told_in_the_end()
        async with books_of(stack) as books:
            await books.settled()
            await books.assert_agree()


def backends(stack: Stack) -> list[int]:
    """Return PostgreSQL's other processes."""
    return [child.pid for child in psutil.Process(stack.pids()["postgres"]).children()]


@pytest.mark.chaos
async def test_a_bank_that_hangs(stack: Stack) -> None:
    """While the bank does not answer payments are PENDING in time; reading goes on; all settles.

    After a while it does not count as connected any more, and nothing is begun.
    """
    async with clients_of(stack.grpc, stack.api_key) as clients:
        bank = stack.pids()["acquirer"]
        async with clients.busy():
            os.kill(bank, signal.SIGSTOP)
            try:
                async with asyncio.timeout(AWAY_SECONDS + ANSWER_SECONDS_MAX):
                    await asyncio.sleep(AWAY_SECONDS)
                    await clients.read()
                    await assert_health(stack, "payments-1", "acquirer", is_up=False)
                    await assert_edge(stack, 200, "acquirer", is_up=False)
            finally:
                os.kill(bank, signal.SIGCONT)
            await clients.healed()
        # On a busy machine the short form, too, may last until the bank is missed.
        assert set(clients.answers) <= {SUCCEEDED, PENDING, "DEPENDENCY_UNAVAILABLE"}
        if AWAY_SECONDS > MISSED_SECONDS_MAX:
            assert clients.answers["DEPENDENCY_UNAVAILABLE"]
        assert clients.answers[PENDING] >= CLIENTS
        assert clients.longest_seconds <= PENDING_ANSWER_SECONDS_MAX
        async with books_of(stack) as books:
            await books.settled()
            await books.assert_agree()


@pytest.mark.chaos
async def test_a_bank_that_is_gone(payments_database_url: str, acquirer_database_url: str) -> None:
    """While nobody listens at the bank's address nothing is begun, and clients are told so."""
    async with Rig(payments_database_url, acquirer_database_url) as rig:
        port = rig.workers[0].port
        async with clients_of(f"127.0.0.1:{port}", rig.api_key) as clients:
            async with clients.busy():
                await asyncio.sleep(0.5)
                await rig.bank.stop()
                await clients.refused()
                begun = await actions(rig)
                await asyncio.sleep(AWAY_SECONDS)
                await clients.read()
                assert await actions(rig) == begun
                await rig.bank.start()
                assert await clients.healed() <= BACK_SECONDS_MAX
            assert set(clients.answers) <= {SUCCEEDED, PENDING, "DEPENDENCY_UNAVAILABLE"}
            # At most one each, which was begun before the bank was missed and waited for it.
            assert clients.answers[PENDING] <= CLIENTS + 1
            assert clients.longest_seconds <= PENDING_ANSWER_SECONDS_MAX
            await clients.told_in_the_end()
        await rig.settled()
        await rig.assert_books_agree()


async def actions(rig: Rig) -> int:
    """Return how many actions there are."""
    count: int = await rig.payments_book.fetchval("SELECT count(*) FROM actions")
    return count


@pytest.mark.chaos
async def test_a_bus_that_is_gone(stack: Stack, bus: NatsServer) -> None:
    """Without NATS payments go on as ever, and events wait; with it, each is published."""
    async with clients_of(stack.grpc, stack.api_key) as clients, books_of(stack) as books:
        async with clients.busy():
            await bus.kill()
            await asyncio.sleep(AWAY_SECONDS)
            await assert_health(stack, "relay", "nats", is_up=False)
            waiting = await unpublished(books)
            await bus.start()
        assert set(clients.answers) == {SUCCEEDED}
        assert waiting > 0
        async with asyncio.timeout(3 * HEALED_SECONDS_MAX):
            while await unpublished(books):
                await asyncio.sleep(0.1)
        stored = {row["id"] for row in await books.payments.fetch("SELECT id FROM outbox")}
        assert {id_ for _, id_, _ in await bus.messages()} == stored


async def unpublished(books: Books) -> int:
    """Return how many events are not on the bus."""
    count: int = await books.payments.fetchval(
        "SELECT count(*) FROM outbox WHERE publish_time IS NULL"
    )
    return count
