"""What `/health` asks of a database, and of each server that its address names."""

import asyncio
import struct
import time
from functools import partial
from urllib.parse import parse_qsl, unquote, urlsplit

from pkg.observe.health import Check
from pkg.postgres.servers import addresses_of
from pkg.postgres.sql import Pools

# The first message of a client that would like TLS. PostgreSQL answers with a letter, before any
# login: whoever answers is alive, and has hardly worked for it.
_HELLO = struct.pack("!ii", 8, 80877103)
PORT = 5432
# How long a server that answered counts as there. It makes a process for each that asks.
ANSWERED_SECONDS = 4.0


def database_checks(pools: Pools, name: str, url: str) -> dict[str, Check]:
    """Return the check of a database, by a pool, and of its servers if there are several.

    A server's name is its place in the address. If some are up and the database is not, none of
    them takes writes: there is no primary.
    """
    addresses = addresses_of(url)
    servers = addresses if len(addresses) > 1 else []
    return {
        "database": partial(pools.answers, name),
        **{
            f"database_{number}": _Server(address).answers
            for number, address in enumerate(servers, start=1)
        },
    }


class _Server:
    def __init__(self, address: str) -> None:
        self._address = address
        self._answered = float("-inf")

    async def answers(self) -> bool:
        """Tell whether a server answers, now or a moment ago."""
        if time.monotonic() - self._answered > ANSWERED_SECONDS:
            reader, writer = await _opened(self._address)
            try:
                writer.write(_HELLO)
                if not await reader.read(1):
                    return False
            finally:
                writer.transport.abort()
            self._answered = time.monotonic()
        return True


async def _opened(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query))
    host = query.get("host") or unquote(parts.hostname or "")
    port = int(query.get("port") or parts.port or PORT)
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)
