"""What Patroni says of PostgreSQL, and PostgreSQL itself, whichever leads."""

import asyncio
import json
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import asyncpg

from pkg.postgres.connection import Connection
from pkg.postgres.servers import connect
from tests.ha.machine import ADDRESSES, SECRETS

_ANSWER_SECONDS_MAX = 1.0
_POLL_SECONDS = 0.1
_ASK_SECONDS_MAX = 5.0


@dataclass(frozen=True)
class Member:
    """A server as Patroni sees it: such as a `quorum_standby` that is `streaming`."""

    role: str
    state: str


async def members(asked: str) -> Mapping[str, Member]:
    """Return all servers, by machine, as the Patroni of one machine sees them.

    Raises:
        OSError, ValueError: It does not say.
    """
    url = f"http://{ADDRESSES[asked]}:8008/cluster"

    def get() -> Any:
        with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS_MAX) as reply:
            return json.load(reply)

    said = await asyncio.to_thread(get)
    return {one["name"]: Member(one["role"], one["state"]) for one in said["members"]}


async def leader(*, besides: str | None = None) -> str:
    """Return the machine that leads, once another one does than that."""
    while True:
        for asked in ADDRESSES:
            if asked == besides:
                continue
            with suppress(OSError, ValueError):
                for name, member in (await members(asked)).items():
                    if member.role == "leader" and member.state == "running" and name != besides:
                        return name
        await asyncio.sleep(_POLL_SECONDS)


async def whole() -> str:
    """Return the machine that leads, once both others follow it and either's word is enough."""
    while True:
        with suppress(OSError, ValueError):
            seen = [await members(asked) for asked in ADDRESSES]
            roles = [{name: member.role for name, member in one.items()} for one in seen]
            states = sorted(member.state for member in seen[0].values())
            kept = sorted(roles[0].values()) == ["leader", "quorum_standby", "quorum_standby"]
            if kept and states == ["running", "streaming", "streaming"] and roles == roles[:1] * 3:
                return next(name for name, role in roles[0].items() if role == "leader")
        await asyncio.sleep(_POLL_SECONDS)


class Look:
    """A look into a database, as its owner: wherever it is at the moment, and again if it moves."""

    def __init__(self, secret: str) -> None:
        self._url = (SECRETS / secret).read_text()
        self._connection: Any = None

    async def fetch(self, statement: str, *values: object) -> list[asyncpg.Record]:
        """Return rows, once the database answers."""
        while True:
            try:
                async with asyncio.timeout(_ASK_SECONDS_MAX):
                    if self._connection is None:
                        self._connection = await connect(
                            self._url, timeout=_ASK_SECONDS_MAX, connection_class=Connection
                        )
                    rows: list[asyncpg.Record] = await self._connection.fetch(statement, *values)
                    return rows
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                if self._connection:
                    self._connection.terminate()
                self._connection = None
                await asyncio.sleep(_POLL_SECONDS)

    async def fetchval(self, statement: str, *values: object) -> Any:
        """Return the first value of the first row."""
        return (await self.fetch(statement, *values))[0][0]
