"""A cluster of shards: where merchants are, and what happens while shards move."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import asyncpg
import pytest

from pkg.errors import DependencyUnavailableError
from pkg.ids import new_id
from pkg.postgres.shards.hashing import hash_of
from pkg.postgres.shards.placements import Shard
from pkg.postgres.shards.pool import cluster_of
from pkg.postgres.sql import Pool
from services.payments.adapters.postgres import SQL, PostgresStore
from services.payments.adapters.postgres_reader import PostgresReader
from services.payments.domain.payment import Payment
from services.payments.ports import CommitResult, PaymentFilter
from tests.builders import NOW, begun, capture
from tests.cluster import adapters_on, emptied, migrated
from tests.integration.store.changes import ended, keyed

MERCHANTS = [f"mer_{number}" for number in range(24)]
MOVES = int(os.environ.get("PAYGATE_CITUS_MOVES", "2"))
_MOVE = "SELECT citus_move_shard_placement($1, $2, $3, $4, $5, 'force_logical')"


@dataclass
class OnShards:
    """A store and a reader on a cluster, and its owner."""

    store: PostgresStore
    reader: PostgresReader
    reads: Pool
    owner: "asyncpg.Connection[asyncpg.Record]"

    def shard_of(self, merchant_id: str) -> Shard:
        """Return where a merchant is, as far as the store knows."""
        cluster = cluster_of(self.reads)
        assert cluster
        return cluster.shard_of(merchant_id)

    async def move(self, shard: int) -> None:
        """Move a shard to another node."""
        nodes = await self.owner.fetch(
            "SELECT nodename, nodeport, shardid = $1 AS has_it"
            " FROM pg_dist_node LEFT JOIN pg_dist_placement p"
            " ON p.groupid = pg_dist_node.groupid AND shardid = $1 WHERE shouldhaveshards",
            shard,
        )
        (source,) = [node for node in nodes if node["has_it"]]
        target = random.choice([node for node in nodes if not node["has_it"]])
        places = [*list(source)[:2], *list(target)[:2]]
        # Citus may not have removed yet what the last move has left there: it is to be asked again.
        for pause in (1, 2, 4, 8, None):
            try:
                await self.owner.execute(_MOVE, shard, *places, timeout=120)
            except asyncpg.InternalServerError:
                if pause is None:
                    raise
                await asyncio.sleep(pause)
            else:
                return


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[OnShards]:
    """Open what a worker works on."""
    owner = await asyncpg.connect(url)
    async with adapters_on(url) as (store, reader, reads):
        yield OnShards(store, reader, reads, owner)
    await owner.close()


@pytest.fixture(scope="module")
async def url() -> str:
    """The address of a cluster whose tables are there."""
    return await migrated()


@pytest.fixture
async def shards(url: str) -> AsyncIterator[OnShards]:
    """A worker's adapters on a cluster, empty."""
    await emptied(url)
    async with opened(url) as worker:
        yield worker


async def stored(store: PostgresStore, merchant_id: str, *, captures: int = 1) -> Payment:
    """Store a payment and what becomes of it."""
    payment, action = begun()
    first = keyed((replace(payment, merchant_id=merchant_id), action), key=payment.id)
    assert await store.commit(first) is CommitResult.COMMITTED
    payment = (change := ended(first)).payment
    assert await store.commit(change) is CommitResult.COMMITTED
    for number in range(captures):
        begin = keyed(capture(payment, 10), key=f"{payment.id} {number}")
        assert await store.commit(begin) is CommitResult.COMMITTED
        payment = (change := ended(begin)).payment
        assert await store.commit(change) is CommitResult.COMMITTED
    return payment


async def test_merchants_are_where_citus_has_them(shards: OnShards) -> None:
    """Both spread by the same hash."""
    for number in range(300):
        merchant_id = new_id("mer", NOW) + "x" * (number % 13)
        hashed = await shards.owner.fetchval("SELECT worker_hash($1::text)", merchant_id)
        assert hash_of(merchant_id) == hashed
        where = "SELECT get_shard_id_for_distribution_column('payments', $1::text)"
        assert shards.shard_of(merchant_id).id == await shards.owner.fetchval(where, merchant_id)
    assert len({shards.shard_of(merchant_id).node for merchant_id in MERCHANTS}) > 1


async def test_where_a_shard_was_nothing_goes_on(shards: OnShards, url: str) -> None:
    """What has left it takes nothing and shows nothing."""
    old = shards.shard_of(MERCHANTS[0])
    cluster = cluster_of(shards.reads)
    assert cluster
    pool, statements = await cluster.node(old.node).get(), cluster.statements(old)
    count, arguments = SQL["clock"], (MERCHANTS[0],)
    assert await pool.fetch(statements[count], *arguments)
    await shards.move(old.id)
    with pytest.raises(asyncpg.PostgresError) as refused:
        await pool.fetch(statements[count], *arguments)
    assert refused.value.sqlstate in {"PG001", asyncpg.UndefinedTableError.sqlstate}
    await shards.move(old.id)
    assert await pool.fetch(statements[count], *arguments)


async def test_lists_go_on_after_a_move(shards: OnShards, url: str) -> None:
    """What is committed at another node, whose numbers are others, comes after what was before."""
    ids = [(await stored(shards.store, MERCHANTS[0])).id]
    for _ in range(2):
        await shards.move(shards.shard_of(MERCHANTS[0]).id)
        ids += [(await stored(shards.store, MERCHANTS[0])).id for _ in range(2)]
        async with opened(url) as another:
            ids.append((await stored(another.store, MERCHANTS[0])).id)
    page = await shards.reader.list_payments(MERCHANTS[0], PaymentFilter(), place=None, size=50)
    assert [view.id for view in reversed(page.items)] == ids


async def test_payments_go_on_while_shards_move(shards: OnShards, url: str) -> None:
    """Nothing that was acknowledged is lost, nothing is there twice, and nobody sees an error."""
    done, problems, moving = [], Counter[str](), True

    async def pay(worker: OnShards, merchants: list[str]) -> None:
        while moving:
            try:
                done.append(await stored(worker.store, random.choice(merchants)))
                await worker.reader.get_payment(done[-1].merchant_id, done[-1].id)
            except DependencyUnavailableError as problem:
                problems[repr(problem.__cause__)] += 1

    async with opened(url) as another:
        payers = [
            asyncio.create_task(pay(worker, MERCHANTS[number::4]))
            for worker in (shards, another)
            for number in range(4)
        ]
        for number in range(MOVES):
            await shards.move(shards.shard_of(MERCHANTS[number % len(MERCHANTS)]).id)
        moving = False
        await asyncio.gather(*payers)
    assert not problems, (problems, len(done))
    assert len(done) > 20 * MOVES
    for payment in done:
        found = await shards.store.load(payment.merchant_id, payment.id, rpc="", key=None)
        assert found.payment == payment
    # What is stored, and what for each.
    counts = {"payments": 1, "actions": 2, "idempotency_keys": 2, "outbox": 2}
    for table, each in counts.items():
        count = await shards.owner.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
        assert count == each * len(done)
