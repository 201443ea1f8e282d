"""Groups by shard, and a lane of them for each node."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from pkg.postgres.group_commit import GroupCommit
from pkg.postgres.shards.cluster import Cluster
from pkg.postgres.shards.pool import cluster_of
from pkg.postgres.shards.tenancy import ShardedMerchantPool
from pkg.postgres.sql import Pool
from pkg.postgres.tenancy import MerchantPool

Item = TypeVar("Item")
Result = TypeVar("Result")
Item_contra = TypeVar("Item_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)


class Groups(Protocol[Item_contra, Result_co]):
    """See GroupCommit."""

    @property
    def waiting(self) -> int:
        """How much waits for its turn."""

    def result_of(self, item: Item_contra, /) -> Awaitable[Result_co]:
        """Return what became of the item."""


class Lanes(Generic[Item, Result]):
    """Groups of one shard each; those of one node do not wait for those of another.

    Args:
        cluster: Where merchants are.
        merchant_of: Whose an item is.
        lane: Makes the groups of a node.
    """

    def __init__(
        self,
        cluster: Cluster,
        merchant_of: Callable[[Item], str],
        lane: Callable[[], GroupCommit[Item, Result]],
    ) -> None:
        self._cluster = cluster
        self._merchant_of = merchant_of
        self._lane = lane
        self._lanes: dict[Hashable, GroupCommit[Item, Result]] = {}

    @property
    def waiting(self) -> int:
        """How much waits for its turn, on all nodes."""
        return sum(lane.waiting for lane in self._lanes.values())

    def result_of(self, item: Item) -> Awaitable[Result]:
        """Return what became of the item."""
        node = self._cluster.shard_of(self._merchant_of(item)).node
        lane = self._lanes.get(node)
        if lane is None:
            lane = self._lanes[node] = self._lane()
        return lane.result_of(item)


def groups_on(
    pool: Pool | MerchantPool,
    do: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
    *,
    merchant_of: Callable[[Item], str],
    kind: Callable[[Item], Hashable] = lambda _: None,
    **options: Any,
) -> Groups[Item, Result]:
    """Return groups that `do` does on a pool; on shards, each has items of one shard only.

    Args:
        pool: What they are done on.
        do: See GroupCommit.
        merchant_of: Whose an item is.
        kind: See GroupCommit.
        options: GroupCommit's.
    """
    cluster = pool.cluster if isinstance(pool, ShardedMerchantPool) else cluster_of(pool)
    if cluster is None:
        return GroupCommit(do, kind=kind, **options)

    def kind_on_shard(item: Item) -> Hashable:
        return cluster.shard_of(merchant_of(item)).low, kind(item)

    return Lanes(cluster, merchant_of, lambda: GroupCommit(do, kind=kind_on_shard, **options))
