"""Many databases as one: what a merchant has lies in one shard of a Citus cluster.

Citus says where shards are, moves them and changes their tables. Statements do not go through it:
the gateway sends its own to the node that has the merchant's shard.
"""

from enum import StrEnum


class Shards(StrEnum):
    """Whether what merchants have is spread over shards."""

    NONE = "none"
    CITUS = "citus"
