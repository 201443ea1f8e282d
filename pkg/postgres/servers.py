"""Which of several servers of PostgreSQL a connection goes to."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from pkg.postgres.connection import Connection

# A server answers, and is not as wanted: it can't be written to.
NoPrimaryError = asyncpg.TargetServerAttributeNotMatched
# A server says that it lets this login in nowhere. It counts only if no other server is better.
REFUSALS = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)

# So often a server that answered is asked again while another one is silent.
AGAIN_SECONDS = 0.25

Result = TypeVar("Result")
_Ask = Callable[[], Coroutine[Any, Any, Result]]

# Attempts that nobody waits for any more, until they are ended.
_left: set[asyncio.Task[Any]] = set()


async def connect(url: str, *, timeout: float, **options: Any) -> Connection:  # noqa: ASYNC109
    """Connect to the first server that is as wanted, and shows only what is kept.

    All are asked at once, so that one that is silent holds up nobody. While one is, the others are
    asked again and again: it may have been the primary, whose place one of them is about to take.
    One that was the primary, and does not know yet that it is not any more, has no standby to prove
    that with.

    Args:
        url: May name several servers.
        timeout: In seconds, for all of it. The name is the driver's.
        options: The driver's.

    Raises:
        TimeoutError: Nobody has answered in time.
        Exception: What the driver raises, of the server whose refusal tells the most.
    """
    return await _first_of(
        [partial(_connected, address, timeout, options) for address in addresses_of(url)], timeout
    )


async def primary_of(url: str, *, timeout: float) -> str:  # noqa: ASYNC109
    """Return the address of the one server that can be written to, for programs that want one.

    Args:
        url: May name several servers.
        timeout: In seconds, for all of it.

    Raises:
        Exception: As `connect` does.
    """
    options = {"connection_class": Connection, "target_session_attrs": "read-write"}

    async def itself(address: str) -> str:
        connection = await _connected(address, timeout, options)
        connection.terminate()
        return address

    addresses = addresses_of(url)
    return await _first_of([partial(itself, address) for address in addresses], timeout)


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
        connection.notice_silence()
        # Whoever was restarted shows what is on its disk, whether its standbys have it or not.
        await connection.ensure_kept()
    except BaseException:
        # Not `terminate`: a wait that is not cancelled would hold a place on the server.
        await connection.close()
        raise
    return connection


async def _first_of(
    asks: list[_Ask[Result]],
    timeout: float,  # noqa: ASYNC109
) -> Result:
    heard = _Heard(len(asks))
    attempts = [asyncio.create_task(_asked(ask, heard)) for ask in asks]
    chosen = None
    try:
        async with asyncio.timeout(timeout):
            chosen = await _first(attempts, heard)
    except TimeoutError as problem:
        raise _most_telling([*heard.problems, problem]) from None
    else:
        return chosen
    finally:
        for attempt in attempts:
            _leave(attempt, chosen)


async def _first(attempts: list[asyncio.Task[Result]], heard: "_Heard") -> Result:
    for ended in asyncio.as_completed(attempts):
        with suppress(Exception):  # which is among the problems, if nobody else answers
            return await ended
    raise _most_telling(heard.problems)


class _Heard:
    """Which servers have answered.

    Attributes:
        problems: What each last said.
        all: Set once nobody is silent.
    """

    def __init__(self, count: int) -> None:
        self._said: dict[object, Exception] = {}
        self._count = count
        self.all = asyncio.Event()

    @property
    def problems(self) -> list[Exception]:
        return list(self._said.values())

    def of(self, server: object, problem: Exception) -> None:
        self._said[server] = problem
        if len(self._said) == self._count:
            self.all.set()


async def _asked(ask: _Ask[Result], heard: _Heard) -> Result:
    """Ask a server until it is as wanted, or nobody is silent any more."""
    while True:
        try:
            return await ask()
        except Exception as problem:
            heard.of(ask, problem)
            with suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_SECONDS):
                    await heard.all.wait()
            if heard.all.is_set():
                raise


def _most_telling(problems: list[Exception]) -> Exception:
    """Return that of one that answers, but is not the primary; then of one that is away."""

    def rank(problem: Exception) -> int:
        if isinstance(problem, NoPrimaryError):
            return 0
        return 2 if isinstance(problem, REFUSALS) else 1

    return min(problems, key=rank)


def _leave(attempt: asyncio.Task[Result], chosen: Result | None) -> None:
    """End an attempt, unless its connection is the one that is taken."""

    def ended(attempt: asyncio.Task[Result]) -> None:
        _left.discard(attempt)
        if attempt.cancelled() or attempt.exception():
            return
        result = attempt.result()
        if isinstance(result, Connection) and result is not chosen:
            result.terminate()

    attempt.cancel()
    _left.add(attempt)
    attempt.add_done_callback(ended)
