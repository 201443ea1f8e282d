"""The nodes of a cluster and where its shards are now."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import asyncpg
import structlog

from pkg.errors import DependencyUnavailableError
from pkg.postgres.connection import Connection
from pkg.postgres.servers import connect
from pkg.postgres.shards.nodes import NodePool, url_of
from pkg.postgres.shards.placements import PLACEMENTS, Node, Placements, Shard, placements_of
from pkg.postgres.shards.statements import Statements
from pkg.postgres.sql import Pool, Row, translated

logger = structlog.get_logger()

Result = TypeVar("Result")
# Does something on a shard: with a pool of its node, and its statements.
OnShard = Callable[[Pool, Statements], Awaitable[Result]]

# What the guard says, and a node that has removed the tables of a shard that went.
_MOVED = ("PG001", asyncpg.UndefinedTableError.sqlstate)
# Who was told that a shard has moved asks at once where it is, and then at this interval.
REPEAT_SECONDS = 0.05
LOOK_SECONDS = 2.0
_BEGIN_ERAS = "SELECT begin_commit_era(eras) FROM unnest('{{{}}}'::text[]) AS eras"
# To look up a type would take seconds if Citus hid its tables.
SETTINGS = {"citus.override_table_visibility": "off"}
# Each shard has its own statements.
_OPTIONS: dict[str, Any] = {"statements_max": 2_000, "more_settings": SETTINGS}


def has_moved(problem: asyncpg.PostgresError) -> bool:
    """Tell whether a statement has failed since its shard is not there any more."""
    return problem.sqlstate in _MOVED


class Cluster:
    """Where merchants are, as far as is known: who is told otherwise asks again.

    Args:
        url: Of the coordinator, or of any nodes.
        seconds_max: How long a statement may take, and how long a move is waited for.
        begins: Whether each connection begins commit eras: for who writes rows that lists show.
        opened: Opens a pool of a node; see `open_pool`.
    """

    def __init__(
        self,
        url: str,
        *,
        seconds_max: float,
        begins: bool,
        opened: Callable[..., Awaitable[Pool]],
    ) -> None:
        self._url = url
        self._seconds_max = seconds_max
        self._begins = begins
        self._opened = opened
        self._nodes: dict[Node, NodePool] = {}
        self._placements = Placements([])
        self._statements: dict[tuple[int, Node], Statements] = {}
        self._reading = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = 0.0
        self._turn = 0

    def shard_of(self, merchant_id: str) -> Shard:
        """Return the shard of a merchant."""
        return self._placements.shard_of(merchant_id)

    def statements(self, shard: Shard) -> Statements:
        """Return the statements of a shard."""
        return self._statements[shard.id, shard.node]

    def node(self, node: Node) -> NodePool:
        """Return what stands for a node."""
        return self._nodes[node]

    @property
    def shards(self) -> Sequence[Shard]:
        """All shards."""
        return self._placements.shards

    @property
    def pools(self) -> Iterator[Pool]:
        """The pools that are open."""
        return (node.pool for node in self._nodes.values() if node.pool is not None)

    async def on(self, merchant_id: str, do: OnShard[Result]) -> Result:
        """Do something on a merchant's shard, and again where it is now if it has moved.

        Raises:
            DependencyUnavailableError: The shard is at no node that answers.
        """
        until = asyncio.get_running_loop().time() + self._seconds_max
        while True:
            known = self._placements
            shard = known.shard_of(merchant_id)
            try:
                with translated():
                    return await do(await self.node(shard.node).get(), self.statements(shard))
            except DependencyUnavailableError:
                self._look_again()
                raise
            except asyncpg.PostgresError as problem:
                if not has_moved(problem):
                    raise
                if asyncio.get_running_loop().time() > until:
                    raise DependencyUnavailableError from problem
            await self.refresh(known)
            now = self._placements.shard_of(merchant_id)
            if now.node == shard.node:
                # It has come back, or Citus does not tell yet that it has gone.
                await asyncio.sleep(REPEAT_SECONDS)
            await self._begin_era(now)

    async def in_turn(self, do: OnShard[bool]) -> None:
        """Do something on each shard, each time another one first, until `do` returns false.

        A shard that can't be reached or is moving just now is left to the next time.

        Raises:
            DependencyUnavailableError: No node can be reached.
        """
        shards = self._placements.shards
        self._turn += 1
        start = self._turn % len(shards)
        reached = False
        for shard in (*shards[start:], *shards[:start]):
            node = self.node(shard.node)
            if node.is_away:
                continue
            try:
                with translated():
                    go_on = await do(await node.get(), self.statements(shard))
            except DependencyUnavailableError:
                node.note_failure()
                self._look_again()
                logger.warning("a node of the database is not available", node=node.node)
                continue
            except asyncpg.PostgresError as problem:
                if not has_moved(problem):
                    raise
                await self.moved(shard)
                return
            reached = True
            if not go_on:
                return
        if not reached:
            raise DependencyUnavailableError

    async def anywhere(self, do: OnShard[Result]) -> Result:
        """Do something on any node; those that could be reached lately come first.

        Raises:
            DependencyUnavailableError: None can be reached.
        """
        one_of_each = {shard.node: shard for shard in self._placements.shards}
        shards = sorted(one_of_each.values(), key=lambda shard: self.node(shard.node).is_away)
        for shard in shards:
            node = self.node(shard.node)
            try:
                with translated():
                    return await do(await node.get(), self.statements(shard))
            except DependencyUnavailableError:
                node.note_failure()
        raise DependencyUnavailableError

    async def open(self) -> None:
        """Find the shards, and connect to the nodes that answer.

        Raises:
            DependencyUnavailableError: None does.
        """
        await self.refresh()
        nodes = [self._nodes[node].get() for node in {shard.node for shard in self.shards}]
        done = await asyncio.gather(*nodes, return_exceptions=True)
        problems = [problem for problem in done if isinstance(problem, BaseException)]
        for problem in problems:
            if len(problems) == len(done) or not isinstance(problem, DependencyUnavailableError):
                await self.close()
                raise problem

    async def refresh(self, known: Placements | None = None) -> None:
        """Read where the shards are, unless somebody has since `known` was read.

        Raises:
            DependencyUnavailableError: No node tells.
        """
        async with self._reading:
            if known is not None and known is not self._placements:
                return
            placements = placements_of(await self._read())
            for node in placements.nodes():
                if node not in self._nodes:
                    self._nodes[node] = NodePool(node, partial(self._open, node))
            self._statements = {
                (shard.id, shard.node): self._statements.get((shard.id, shard.node))
                or Statements(shard)
                for shard in placements.shards
            }
            self._placements = placements

    def _look_again(self) -> None:
        """Read where the shards are, but not at once again: a node may have another address."""
        now = asyncio.get_running_loop().time()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        with suppress(DependencyUnavailableError):
            await self.refresh()

    async def _read(self) -> Sequence[Row]:
        for node in self._nodes.values():
            if node.pool is not None and not node.is_away:
                try:
                    with translated():
                        return await node.pool.fetch(PLACEMENTS)
                except DependencyUnavailableError:
                    node.note_failure()
        with translated():
            connection = await connect(
                self._url, timeout=self._seconds_max, connection_class=Connection
            )
            try:
                return await connection.fetch(PLACEMENTS)
            finally:
                connection.terminate()

    async def moved(self, shard: Shard) -> None:
        """Take note that a shard is not where it was thought to be."""
        await self.refresh()
        for now in self.shards:
            if now.id == shard.id:
                await self._begin_era(now)

    async def _begin_era(self, shard: Shard) -> None:
        """Let an era begin in a shard that is new at its node."""
        if self._begins:
            with translated():
                pool = await self._nodes[shard.node].get()
                await pool.execute(_BEGIN_ERAS.format(shard.names["commit_eras"]))

    def _eras_of(self, node: Node) -> str:
        eras = [
            shard.names["commit_eras"] for shard in self._placements.shards if shard.node == node
        ]
        return _BEGIN_ERAS.format(",".join(eras))

    async def _open(self, node: Node) -> Pool:
        first = partial(self._eras_of, node) if self._begins else None
        return await self._opened(url_of(self._url, node), first=first, **_OPTIONS)

    async def close(self) -> None:
        """Close all pools."""
        if self._looking:
            self._looking.cancel()
        await asyncio.gather(*(node.close() for node in self._nodes.values()))
