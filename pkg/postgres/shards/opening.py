"""Opens what a process works on: one database, or the shards of a cluster."""

from functools import partial
from typing import Any, cast

from pkg.postgres.shards import Shards
from pkg.postgres.shards.cluster import SETTINGS, Cluster
from pkg.postgres.shards.pool import ShardedPool
from pkg.postgres.sql import BEGIN_COMMIT_ERA, Pool, open_pool


async def open_coordinator(url: str, shards: Shards, **options: Any) -> Pool:
    """Open a pool on the database; or for what every node has in full, on the coordinator.

    There, statements go through Citus, which needs to know their arguments.

    Args:
        url: See `open_database`.
        shards: See there.
        options: See `open_pool`.

    Raises:
        DependencyUnavailableError: It can't be reached.
    """
    if shards is Shards.CITUS:
        options["more_settings"] = {**SETTINGS, "plan_cache_mode": "force_custom_plan"}
    return await open_pool(url, **options)


async def open_database(
    url: str,
    shards: Shards,
    *,
    command_timeout_seconds: float,
    begins_era: bool = False,
    **options: Any,
) -> Pool:
    """Open a pool on one database, or one on each node that has shards, and stand for all of them.

    Args:
        url: Of the database; or of the cluster's coordinator, or of any nodes.
        shards: Which of both.
        command_timeout_seconds: See `open_pool`. A move of a shard is waited for as long.
        begins_era: Whether rows are written that lists show.
        options: See `open_pool`; what is said there of a pool is for each node's.

    Raises:
        DependencyUnavailableError: The database, or the whole cluster, can't be reached.
    """
    options["command_timeout_seconds"] = command_timeout_seconds
    if shards is Shards.NONE:
        return await open_pool(url, first=BEGIN_COMMIT_ERA if begins_era else None, **options)
    opened = partial(open_pool, **options)
    cluster = Cluster(url, seconds_max=command_timeout_seconds, begins=begins_era, opened=opened)
    await cluster.open()
    return cast("Pool", ShardedPool(cluster))
