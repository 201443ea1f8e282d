"""Proof that what was read of a merchant is kept, where its shard is."""

import asyncio
from typing import Any

from pkg.postgres.shards.cluster import Cluster
from pkg.postgres.shards.placements import Node
from pkg.postgres.shards.pool import cluster_of
from pkg.postgres.sql import Pool, Proof


class Proofs:
    """See Proof: one for each node.

    Args:
        pool: Of the database that was read.
        options: Proof's.
    """

    def __init__(self, pool: Pool, **options: Any) -> None:
        self._cluster = cluster_of(pool)
        self._whole = Proof(pool, **options)
        self._options = options
        self._nodes: dict[Node, Proof] = {}

    async def ensure_kept(self, merchant_id: str | None = None) -> None:
        """Return when all that was read before of a merchant is kept; or of everybody, for None.

        Raises:
            DependencyUnavailableError: Nobody can tell now.
        """
        if self._cluster is None:
            await self._whole.ensure_kept()
        elif merchant_id is not None:
            await self._on(self._cluster, self._cluster.shard_of(merchant_id).node)
        else:
            nodes = {shard.node for shard in self._cluster.shards}
            await asyncio.gather(*(self._on(self._cluster, node) for node in nodes))

    async def _on(self, cluster: Cluster, node: Node) -> None:
        proof = self._nodes.get(node)
        if proof is None:
            proof = self._nodes[node] = Proof(await cluster.node(node).get(), **self._options)
        await proof.ensure_kept()
