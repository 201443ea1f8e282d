"""Which of several servers of PostgreSQL a connection goes to."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from pkg.postgres.connection import Connection

# Attempts that nobody waits for any more, until they are ended.
_left: set[asyncio.Task[Connection]] = set()


async def connect(url: str, *, timeout: float, **options: Any) -> Connection:  # noqa: ASYNC109
    """Connect to the first server that is as wanted, and shows only what is kept.

    All are asked at once, so that one that is silent holds up nobody. One that was the primary, and
    does not know yet that it is not any more, has no standby to prove that with.

    Args:
        url: May name several servers.
        timeout: In seconds, for all of it. The name is the driver's.
        options: The driver's.

    Raises:
        TimeoutError: Nobody has answered in time.
        Exception: What the driver raises, of the server that was the last to refuse.
    """
    attempts = [
        asyncio.create_task(_connected(address, timeout, options)) for address in addresses_of(url)
    ]
    chosen = None
    try:
        async with asyncio.timeout(timeout):
            chosen = await _first(attempts)
        return chosen
    finally:
        for attempt in attempts:
            _leave(attempt, chosen)


def addresses_of(url: str) -> list[str]:
    """Return an address for each server that an address names."""
    parts = urlsplit(url)
    login, at, servers = parts.netloc.rpartition("@")
    if servers:
        return [
            urlunsplit(parts._replace(netloc=f"{login}{at}{server}"))
            for server in servers.split(",")
        ]
    query = dict(parse_qsl(parts.query))
    hosts, ports = query.get("host", "").split(","), query.get("port", "").split(",")
    if len(hosts) == 1:
        return [url]
    if len(ports) == 1:  # it is everybody's
        ports *= len(hosts)
    return [
        urlunsplit(parts._replace(query=urlencode({**query, "host": host, "port": port})))
        for host, port in zip(hosts, ports, strict=True)
    ]


async def _connected(url: str, timeout: float, options: Mapping[str, Any]) -> Connection:  # noqa: ASYNC109
    connection: Connection = await asyncpg.connect(url, timeout=timeout, **options)
    try:
        # Whoever was restarted shows what is on its disk, whether its standbys have it or not.
        await connection.ensure_kept()
    except BaseException:
        # Not `terminate`: a wait that is not cancelled would hold a place on the server.
        await connection.close()
        raise
    return connection


async def _first(attempts: list[asyncio.Task[Connection]]) -> Connection:
    problem: Exception | None = None
    for ended in asyncio.as_completed(attempts):
        try:
            return await ended
        except Exception as refused:  # noqa: BLE001  # raised below, if nobody else answers
            problem = refused
    assert problem
    raise problem


def _leave(attempt: asyncio.Task[Connection], chosen: Connection | None) -> None:
    """End an attempt, unless its connection is the one that is taken."""

    def ended(attempt: asyncio.Task[Connection]) -> None:
        _left.discard(attempt)
        if not attempt.cancelled() and not attempt.exception() and attempt.result() is not chosen:
            attempt.result().terminate()

    attempt.cancel()
    _left.add(attempt)
    attempt.add_done_callback(ended)
