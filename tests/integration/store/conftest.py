"""The store's contract: one suite, held by the store in memory and by the one on PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from pkg.postgres.shards import Shards
from pkg.postgres.shards.opening import open_coordinator
from pkg.postgres.sql import open_pool
from pkg.postgres.tenancy import MerchantPool
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.memory import MemoryStore
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.postgres_reader import PostgresReader
from services.payments.api.codec import ProtoEvents
from services.payments.ports import Reader, Store
from tests.cluster import URL, adapters_on, emptied, migrated
from tests.database import as_part
from tests.integration.store.changes import LEASE, OnPostgres


@pytest.fixture
async def on_postgres(payments_database_url: str) -> AsyncIterator[OnPostgres]:
    """A store on an empty database."""
    part = as_part(payments_database_url, "paygate_gateway")
    reads = await open_pool(part, size=4, command_timeout_seconds=5, name="test")
    writes = await open_pool(part, size=1, command_timeout_seconds=5, name="test")
    reader = as_part(payments_database_url, "paygate_reader")
    looks = await open_pool(reader, size=2, command_timeout_seconds=5, name="test")
    owner = await open_pool(payments_database_url, size=1, command_timeout_seconds=5, name="test")
    clocks = SandboxClocks()
    async with reads, writes, looks, owner:
        store = PostgresStore(reads, writes, events=ProtoEvents(), clocks=clocks, lease=LEASE)
        yield OnPostgres(store, PostgresReader(MerchantPool(looks), clocks=clocks), owner)


@pytest.fixture(scope="session")
async def cluster() -> str:
    """The address of a cluster whose tables are there."""
    return await migrated()


@pytest.fixture
async def on_shards(cluster: str) -> AsyncIterator[OnPostgres]:
    """A store on a cluster, empty."""
    await emptied(cluster)
    owner = await open_coordinator(
        cluster, Shards.CITUS, size=1, command_timeout_seconds=5, name="test"
    )
    async with owner, adapters_on(cluster) as (store, reader, _):
        yield OnPostgres(store, reader, owner)


@pytest.fixture(params=["memory", "on_postgres", *(["on_shards"] if URL else [])])
def store(request: pytest.FixtureRequest) -> Store:
    """Each of the stores, empty."""
    if request.param == "memory":
        return MemoryStore(lease=LEASE)
    on_postgres: OnPostgres = request.getfixturevalue(request.param)
    return on_postgres.store


@pytest.fixture
def reader(store: Store, request: pytest.FixtureRequest) -> Reader:
    """What looks at the payments of that store."""
    if isinstance(store, MemoryStore):
        return store
    on_postgres: OnPostgres = request.getfixturevalue(request.node.callspec.params["store"])
    return on_postgres.reader
