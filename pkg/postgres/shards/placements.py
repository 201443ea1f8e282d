"""Where shards are, as Citus' catalogue says it on every node."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pkg.postgres.shards.hashing import hash_of
from pkg.postgres.sql import Row

PLACEMENTS = Path(__file__).with_name("placements.sql").read_text("utf-8")

Node = tuple[str, int]  # host and port


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Some merchants' rows of all tables, at one place.

    Attributes:
        id: Citus' number of the one of `payments`, which stands for all of them.
        low: The first hash of merchants in it.
        high: The last one.
        node: Which node has it.
        names: What its part of each table is called.
        everywhere: What the tables are called that each node has in full.
    """

    id: int
    low: int
    high: int
    node: Node
    names: Mapping[str, str] = field(repr=False)
    everywhere: Mapping[str, str] = field(repr=False)


class Placements:
    """Where each shard is, as somebody has read it."""

    def __init__(self, shards: Sequence[Shard]) -> None:
        self.shards = sorted(shards, key=lambda shard: shard.low)
        self._lows = [shard.low for shard in self.shards]

    def shard_of(self, merchant_id: str) -> Shard:
        """Return the shard of a merchant."""
        return self.shards[bisect_right(self._lows, hash_of(merchant_id)) - 1]

    def nodes(self) -> Sequence[Node]:
        """Return the nodes that have shards."""
        return list(dict.fromkeys(shard.node for shard in self.shards))


def placements_of(rows: Iterable[Row]) -> Placements:
    """Return what the statement `PLACEMENTS` has found."""
    return Placements(
        [
            Shard(
                id=row["id"],
                low=row["low"],
                high=row["high"],
                node=(row["host"], row["port"]),
                names=dict(zip(row["tables"], row["shards"], strict=True)),
                everywhere=dict(zip(row["whole_tables"], row["whole_shards"], strict=True)),
            )
            for row in rows
        ]
    )
