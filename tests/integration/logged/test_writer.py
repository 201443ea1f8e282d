"""The request log in a real database: what is written, how much, and what it may cost others."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import TypeAlias

import asyncpg
import pytest

from paygate.payments.v1 import payment_service_pb2 as service
from pkg.grpc.calls import Call
from pkg.grpc.logged.writer import (
    BUSY_TOGETHER_MAX,
    KEPT_PER_MERCHANT,
    TOGETHER_MAX,
    WAITING_MAX,
    RequestWriter,
    running,
)
from pkg.observe.metrics import Metrics
from pkg.postgres.sql import Pool, open_pool
from pkg.postgres.tenancy import MerchantPool
from services.payments.adapters.postgres_requests import PAGE_BYTES_MAX, PostgresRequests
from services.payments.logged import LoggedRequest, RequestFilter
from tests.database import as_part

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

A, B = "mer_a", "mer_b"
LOST = "paygate_logged_requests_lost_total"
EVERYTHING = RequestFilter()
# As many as these, of one merchant, a millisecond apart.
MANY = """
INSERT INTO logged_requests
SELECT $1, n * 1000, 'id-' || n, 's', 'm', 'OK', '', 1, '', false, '', '', false, NULL, 0, NULL, 0
FROM generate_series(1, $2::bigint) n
"""


def call_of(merchant_id: str, name: str, *, size: int = 0) -> Call:
    """Return a call that has ended."""
    call = Call("/paygate.payments.v1.PaymentService/Capture", name, {}, merchant_id=merchant_id)
    call.request = service.CaptureRequest(reference="x" * size)
    return call


@pytest.fixture(params=["paygate_gateway", "paygate_webhooks"])
async def pool(request: pytest.FixtureRequest, payments_database_url: str) -> AsyncIterator[Pool]:
    """Connections of each of the parts that write the log."""
    url = as_part(payments_database_url, request.param)
    async with await open_pool(url, size=2, command_timeout_seconds=5, name="test") as opened:
        yield opened


@pytest.fixture
async def owner(payments_database_url: str) -> AsyncIterator[Owner]:
    """Whom row security does not hold back."""
    connection = await asyncpg.connect(payments_database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def log(payments_database_url: str) -> AsyncIterator[PostgresRequests]:
    """What looks at it."""
    url = as_part(payments_database_url, "paygate_reader")
    async with await open_pool(url, size=1, command_timeout_seconds=5, name="test") as opened:
        yield PostgresRequests(MerchantPool(opened))


async def all_of(
    log: PostgresRequests, merchant_id: str, wanted: RequestFilter = EVERYTHING, *, size: int = 100
) -> list[LoggedRequest]:
    """Read a list page by page."""
    found: list[LoggedRequest] = []
    place = None
    while True:
        page = await log.list(merchant_id, wanted, place=place, size=size)
        found += page.items
        if not page.has_more:
            return found
        place = page.place


async def test_what_the_console_looks_at_is_not_logged_and_what_it_does_is(
    pool: Pool, log: PostgresRequests
) -> None:
    """An open page asks all the time, and must not drive out what a developer's code has sent."""
    async with running(writer := RequestWriter(pool, Metrics())):
        for name, client in (("Capture", "console"), ("GetPayment", "console"), ("GetPayment", "")):
            call = call_of(A, f"{name}-{client}")
            call.method = f"/paygate.payments.v1.PaymentService/{name}"
            call.metadata = {"paygate-client": [client]}
            writer.add(call, 0.001, "")
    assert {one.id for one in await all_of(log, A)} == {"Capture-console", "GetPayment-"}


async def test_calls_are_written_at_the_end_and_each_merchant_sees_its_own(
    pool: Pool, owner: Owner, log: PostgresRequests
) -> None:
    """In one statement for all, newest first, once each; calls of nobody and of the log are not."""
    writer = RequestWriter(pool, Metrics())
    async with running(writer):
        for number in range(250):
            writer.add(call_of((A, B)[number % 2], f"{number:03}"), 250 - number, "")
        writer.add(call_of("", "nobody's"), 0, "")
        looking = call_of(A, "a look")
        looking.method = "/paygate.sandbox.v1.SandboxService/ListRequests"
        writer.add(looking, 0, "")
    expected = [f"{number:03}" for number in range(248, -1, -2)]
    assert [one.id for one in await all_of(log, A)] == expected
    assert [one.id for one in await all_of(log, A, size=7)] == expected
    assert len(await all_of(log, B)) == 125
    assert await owner.fetchval("SELECT count(*) FROM logged_requests") == 250
    found = await log.get(A, "100")
    assert found
    assert found.method == "Capture"
    assert await log.get(B, "100") is None


async def test_filters_leave_out_what_is_not_wanted(owner: Owner, log: PostgresRequests) -> None:
    """Each by itself and all together, also where few rows of many pass."""
    await owner.execute(MANY, A, 2_500)
    await owner.execute(
        "UPDATE logged_requests SET code = 'NOT_FOUND', payment_id = 'pay', method = 'Void',"
        " idempotency_key = 'k' WHERE id IN ('id-3', 'id-2222')"
    )
    for wanted in (
        RequestFilter(failed=True),
        RequestFilter(payment_id="pay"),
        RequestFilter(idempotency_key="k"),
        RequestFilter(method="Void"),
        RequestFilter(failed=True, payment_id="pay", idempotency_key="k", method="Void"),
    ):
        assert [one.id for one in await all_of(log, A, wanted, size=1)] == ["id-2222", "id-3"]
    assert not await all_of(log, A, RequestFilter(failed=True, method="m"))


async def test_a_page_of_large_messages_is_cut_off(pool: Pool, log: PostgresRequests) -> None:
    """And the next one goes on there."""
    writer = RequestWriter(pool, Metrics())
    async with running(writer):
        for number in range(40):
            writer.add(call_of(A, f"{number:02}", size=8_000), 40 - number, "")
    page = await log.list(A, EVERYTHING, place=None, size=100)
    assert page.has_more
    assert sum(len(one.request or b"") for one in page.items) <= PAGE_BYTES_MAX
    assert [one.id for one in await all_of(log, A)] == [f"{n:02}" for n in range(39, -1, -1)]


async def test_only_the_last_calls_of_a_merchant_stay(pool: Pool, owner: Owner) -> None:
    """A busy merchant pushes out its own oldest calls and nobody else's."""
    for merchant_id, count in ((A, KEPT_PER_MERCHANT + 700), (B, 700)):
        await owner.execute(MANY, merchant_id, count)
    writer = RequestWriter(pool, Metrics())
    await asyncio.gather(*(writer.prune(Counter({A: 500, B: 500})) for _ in range(3)))
    await writer.prune(Counter({A: 500}))
    counted = "SELECT merchant_id, count(*), min(began) FROM logged_requests GROUP BY 1 ORDER BY 1"
    rows = [tuple(row) for row in await owner.fetch(counted)]
    assert rows == [(A, KEPT_PER_MERCHANT, 701_000), (B, 700, 1_000)]


async def test_what_is_too_much_is_counted_and_the_last_calls_are_kept(
    pool: Pool, log: PostgresRequests
) -> None:
    """More calls at once than may wait."""
    metrics = Metrics()
    writer = RequestWriter(pool, metrics)
    for number in range(WAITING_MAX + 5):
        writer.add(call_of(A, str(number)), WAITING_MAX + 5 - number, "")
    async with running(writer):
        pass
    kept = await all_of(log, A)
    assert len(kept) == WAITING_MAX
    assert (kept[0].id, kept[-1].id) == (str(WAITING_MAX + 4), "5")
    assert metrics.values(LOST)["overflow",] == 5


async def test_a_worker_that_is_too_busy_writes_less(pool: Pool, owner: Owner) -> None:
    """As long as more come than could be written; and of what it can keep up with, all."""
    writer = RequestWriter(pool, Metrics())

    async def written(coming: int) -> int:
        for number in range(coming):
            writer.add(call_of(A, f"{time.monotonic_ns()}-{number}"), 0, "")
        await owner.execute("TRUNCATE logged_requests")
        await writer.write_some()
        return int(await owner.fetchval("SELECT count(*) FROM logged_requests"))

    assert await written(WAITING_MAX) == TOGETHER_MAX
    for _ in range(3):
        assert await written(WAITING_MAX) == BUSY_TOGETHER_MAX
    assert await written(TOGETHER_MAX) == TOGETHER_MAX  # though some of them are lost
    assert await written(0) == TOGETHER_MAX


async def test_what_is_not_logged_drives_out_nothing(pool: Pool, log: PostgresRequests) -> None:
    """Nor is it counted as lost: a flood without a key, an open console, a look at the log."""
    metrics = Metrics()
    writer = RequestWriter(pool, metrics)
    writer.add(call_of(A, "mine"), 1, "")
    look, asked = call_of(A, "look"), call_of(A, "asked")
    look.method = "/paygate.payments.v1.PaymentService/ListPayments"
    look.metadata = {"paygate-client": ["console"]}
    asked.method = "/paygate.sandbox.v1.SandboxService/ListRequests"
    for call in (call_of("", "nobody's"), look, asked):
        for _ in range(WAITING_MAX):
            writer.add(call, 0, "")
    async with running(writer):
        pass
    assert [one.id for one in await all_of(log, A)] == ["mine"]
    assert metrics.values(LOST)["overflow",] == 0


async def test_a_database_that_is_away_costs_lines_and_nothing_else(
    pool: Pool, owner: Owner, log: PostgresRequests
) -> None:
    """Calls are added as fast as ever, what is lost is counted, and later calls are written."""
    metrics = Metrics()
    writer = RequestWriter(pool, metrics)
    await owner.execute("ALTER TABLE logged_requests RENAME TO away")
    async with running(writer):
        began = time.thread_time()
        for number in range(50):
            writer.add(call_of(A, str(number)), 1, "")
        assert time.thread_time() - began < 0.1
        async with asyncio.timeout(5):
            while metrics.values(LOST)["failed",] < 50:
                await asyncio.sleep(0.02)
        await owner.execute("ALTER TABLE away RENAME TO logged_requests")
        writer.add(call_of(A, "later"), 0, "")
    assert [one.id for one in await all_of(log, A)] == ["later"]


async def test_nobody_waits_for_a_database_that_does_not_answer(pool: Pool, owner: Owner) -> None:
    """A process that ends gives up after a second."""
    writer = RequestWriter(pool, Metrics())
    async with owner.transaction():
        await owner.execute("LOCK TABLE logged_requests")
        began = time.monotonic()
        async with running(writer):
            writer.add(call_of(A, "1"), 0, "")
        assert time.monotonic() - began < 3


async def test_a_writer_touches_nobody_elses_calls(pool: Pool, owner: Owner) -> None:
    """Row security: it removes only those of the merchant that it is set to."""
    await owner.execute(MANY, A, 3)
    await owner.execute(MANY, B, 3)
    own = MerchantPool(pool)
    await own.fetch("DELETE FROM logged_requests WHERE $1 <> ''", A)
    rows = await owner.fetch("SELECT DISTINCT merchant_id FROM logged_requests")
    assert [row["merchant_id"] for row in rows] == [B]
