"""A pool whose every statement goes to the shards that it is for."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, assert_never, cast

from pkg.postgres.shards.cluster import Cluster, OnShard
from pkg.postgres.shards.statements import Anywhere, ByMerchant, Each, Spread, Statements, spread_of
from pkg.postgres.sql import Pool, Row

if TYPE_CHECKING:
    from types import TracebackType

    import asyncpg

Result = TypeVar("Result")
Arguments = Sequence[Any]


class ShardedPool:
    """What adapters use of a pool.

    A statement is for the merchant in its first argument or for those in its first column, unless
    it says something else: see `statements.py`.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._spreads: dict[str, Spread] = {}

    async def fetch(self, statement: str, *arguments: Any) -> list[Row]:
        """Return the rows of a statement: of one shard after the other, if it is for several."""
        spread = self._spread_of(statement)
        if isinstance(spread, Each):
            return await self._fetch_each(spread, statement, arguments)
        done = await _all(
            self._do(spread, part, partial(_fetch, statement, part))
            for part in self._parts(spread, arguments)
        )
        return done[0] if len(done) == 1 else [row for rows in done for row in rows]

    async def fetchrow(self, statement: str, *arguments: Any) -> Row | None:
        """Return the first row of a statement: of the first shard that has one."""
        spread = self._spread_of(statement)
        if isinstance(spread, Each):
            rows = await self._fetch_each(spread, statement, arguments, wanted=1)
            return rows[0] if rows else None
        return await self._do(spread, arguments, partial(_fetchrow, statement, arguments))

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        """Return the first column of the first row of a statement that is for one shard."""
        row = await self.fetchrow(statement, *arguments)
        return None if row is None else cast("asyncpg.Record", row)[0]

    async def execute(self, statement: str, *arguments: Any) -> str:
        """Carry a statement out; return what it did, and to how many rows."""
        done: list[str] = []
        spread = self._spread_of(statement)
        if isinstance(spread, Each):

            async def do(pool: Pool, own: Statements) -> bool:
                done.append(await pool.execute(own[statement], *arguments))
                return True

            await self.cluster.in_turn(do)
        else:
            done += await _all(
                self._do(spread, part, partial(_execute, statement, part))
                for part in self._parts(spread, arguments)
            )
        verb = done[0].rpartition(" ")[0]
        return f"{verb} {sum(int(one.rpartition(' ')[2]) for one in done)}" if verb else done[0]

    def get_size(self) -> int:
        """Return how many connections there are, to all nodes."""
        return sum(pool.get_size() for pool in self.cluster.pools)

    def get_idle_size(self) -> int:
        """Return how many of them are free."""
        return sum(pool.get_idle_size() for pool in self.cluster.pools)

    async def __aenter__(self) -> Self:
        """Return the pool, which is open."""
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _problem: BaseException | None,
        _trace: "TracebackType | None",
    ) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Close the pools of all nodes."""
        await self.cluster.close()

    def _spread_of(self, statement: str) -> Spread:
        spread = self._spreads.get(statement)
        if spread is None:
            spread = self._spreads[statement] = spread_of(statement)
        return spread

    async def _do(
        self, spread: ByMerchant | Anywhere, arguments: Arguments, do: OnShard[Result]
    ) -> Result:
        match spread:
            case ByMerchant(place):
                whose = arguments[place]
                return await self.cluster.on(whose if isinstance(whose, str) else whose[0], do)
            case Anywhere():
                return await self.cluster.anywhere(do)
            case _:
                assert_never(spread)

    def _parts(self, spread: ByMerchant | Anywhere, arguments: Arguments) -> Sequence[Arguments]:
        """Return the arguments for each shard: rows of columns go where their merchants are."""
        if not isinstance(spread, ByMerchant) or isinstance(arguments[spread.place], str):
            return [arguments]
        merchants: Sequence[str] = arguments[spread.place]
        rows: defaultdict[int, list[int]] = defaultdict(list)
        for row, merchant_id in enumerate(merchants):
            rows[self.cluster.shard_of(merchant_id).low].append(row)
        if len(rows) == 1:
            return [arguments]
        return [
            [_some(column, own, of=len(merchants)) for column in arguments] for own in rows.values()
        ]

    async def _fetch_each(
        self, spread: Each, statement: str, arguments: Arguments, *, wanted: int | None = None
    ) -> list[Row]:
        found: list[Row] = []
        if wanted is None and spread.limit is not None:
            wanted = arguments[spread.limit]
        left = wanted

        async def do(pool: Pool, own: Statements) -> bool:
            nonlocal left
            asked = list(arguments)
            if spread.limit is not None:
                asked[spread.limit] = left
            rows = await pool.fetch(own[statement], *asked)
            found.extend(rows)
            if left is not None:
                left -= (
                    sum(len(row[spread.counted]) for row in rows) if spread.counted else len(rows)
                )
            return left is None or left > 0

        await self.cluster.in_turn(do)
        return found


def cluster_of(pool: object) -> Cluster | None:
    """Return the cluster that a pool stands for; None if it is one of a single database."""
    return pool.cluster if isinstance(pool, ShardedPool) else None


async def _fetch(statement: str, arguments: Arguments, pool: Pool, own: Statements) -> list[Row]:
    return list(await pool.fetch(own[statement], *arguments))


async def _fetchrow(
    statement: str, arguments: Arguments, pool: Pool, own: Statements
) -> Row | None:
    return await pool.fetchrow(own[statement], *arguments)


async def _execute(statement: str, arguments: Arguments, pool: Pool, own: Statements) -> str:
    return await pool.execute(own[statement], *arguments)


def _some(column: Any, rows: Sequence[int], *, of: int) -> Any:
    """Return some rows of a column; what is none is for all of them."""
    if isinstance(column, list | tuple) and len(column) == of:
        return [column[row] for row in rows]
    return column


async def _all(parts: Iterable[Awaitable[Result]]) -> list[Result]:
    """Wait for all parts, and raise what the first one that failed has raised."""
    done = await asyncio.gather(*parts, return_exceptions=True)
    results: list[Result] = []
    for one in done:
        if isinstance(one, BaseException):
            raise one
        results.append(one)
    return results
