"""The nodes of a cluster, each with a pool of its own: one that is down holds up no other."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pkg.errors import DependencyUnavailableError
from pkg.postgres.shards.placements import Node
from pkg.postgres.sql import Pool

# For so long nobody tries again to reach a node that could not be reached, but for those who have
# something to do just there and nowhere else; of those one in a second tries.
AWAY_SECONDS = 5.0
RETRY_SECONDS = 1.0


class NodePool:
    """The pool of a node, opened when somebody first wants it.

    Args:
        node: Which one.
        opened: Opens the pool.
    """

    def __init__(self, node: Node, opened: Callable[[], Awaitable[Pool]]) -> None:
        self.node = node
        self._opened = opened
        self._pool: Pool | None = None
        self._opening = asyncio.Lock()
        self._failed_at = -AWAY_SECONDS

    @property
    def pool(self) -> Pool | None:
        """The pool, if it is open."""
        return self._pool

    @property
    def is_away(self) -> bool:
        """Whether it could not be reached lately."""
        return _now() - self._failed_at < AWAY_SECONDS

    def note_failure(self) -> None:
        """Note that it could not be reached just now."""
        self._failed_at = _now()

    async def get(self) -> Pool:
        """Return the pool.

        Raises:
            DependencyUnavailableError: The node can't be reached.
        """
        if self._pool is not None:
            return self._pool
        async with self._opening:
            if self._pool is None:
                if _now() - self._failed_at < RETRY_SECONDS:
                    raise DependencyUnavailableError
                try:
                    self._pool = await self._opened()
                except DependencyUnavailableError:
                    self.note_failure()
                    raise
            return self._pool

    async def close(self) -> None:
        """Close the pool, if it is open."""
        if self._pool is not None:
            await self._pool.close()


def url_of(url: str, node: Node) -> str:
    """Return the address of a node, by that of the cluster."""
    parts = urlsplit(url)
    login, at, _ = parts.netloc.rpartition("@")
    host, port = node
    query = {key: value for key, value in parse_qsl(parts.query) if key not in {"host", "port"}}
    netloc = f"{login}{at}{f'[{host}]' if ':' in host else host}:{port}"
    return urlunsplit(parts._replace(netloc=netloc, query=urlencode(query)))


def _now() -> float:
    return asyncio.get_running_loop().time()
