"""A book on a real PostgreSQL, and a bank that serves it on a port of its own."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
from grpc import aio

from paygate.acquirer.v1 import acquirer_service_pb2_grpc as rpc
from pkg.grpc.calls import CallRecords
from pkg.grpc.guard import Guard
from pkg.observe.metrics import Metrics
from services.acquirer.bank import Bank
from services.acquirer.book import Book
from services.acquirer.line import Lines
from services.acquirer.operations import Operations
from services.acquirer.outage import Outages
from services.acquirer.refusals import DOMAIN, refusal_of
from services.acquirer.rule_calls import RuleCalls
from services.acquirer.servicer import AcquirerServicer
from tests.integration.acquirer.entries import opened
from tests.integration.acquirer.line import OPERATIONS_MAX, OUTAGE_SECONDS, SLOW_SECONDS, Line, Time
from tests.servers import server_with


@pytest.fixture
async def book(acquirer_database_url: str) -> AsyncIterator[Book]:
    """An empty book."""
    book = await opened(acquirer_database_url)
    yield book
    await book.close()


@pytest.fixture
async def line(book: Book) -> AsyncIterator[Line]:
    """A line to a bank that serves on a port of its own."""
    time = Time()
    bank = Bank(
        book,
        Outages(seconds=OUTAGE_SECONDS, now=lambda: time.now),
        slow_seconds=SLOW_SECONDS,
        sleep=time.sleep,
    )
    metrics = Metrics()
    operations = Operations(bank)
    lines = Lines(operations, operations_max=OPERATIONS_MAX)
    servicer = AcquirerServicer(operations, lines, RuleCalls(bank))
    guard = Guard(refusal_of, records=CallRecords(metrics), domain=DOMAIN)
    server = server_with(guard)
    rpc.add_AcquirerServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Line(channel, partial(_ended, metrics), time, lines)
    await server.stop(None)
    await lines.drain()


async def _ended(metrics: Metrics) -> None:
    """Wait until the bank has nothing to do."""
    async with asyncio.timeout(10):
        while metrics.values("paygate_requests_in_flight") != {(): 0}:
            await asyncio.sleep(0.001)
