"""A place that is as production wants it, and processes that do not start."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg

from tests.certificates import AuthorityInFiles
from tests.chaos.rig import Process

NAME = "payments.internal.paygate"
START_SECONDS_MAX = 20.0


@dataclass(frozen=True)
class Place:
    """A database that waits for the disk, and the files and settings of production."""

    url: str
    owner_url: str
    authority: AuthorityInFiles
    environment: Mapping[str, str]

    async def owner(self) -> "asyncpg.Connection[asyncpg.Record]":
        """Connect as whoever runs the server."""
        return await asyncpg.connect(self.owner_url)


async def ended(module: str, role: str, environment: Mapping[str, str]) -> tuple[int, list[str]]:
    """Run a process that does not start; return its exit code and what it said."""
    process = Process((module, role), environment)
    process.stderr = asyncio.subprocess.PIPE
    await process.start()
    assert process.running is not None
    async with asyncio.timeout(START_SECONDS_MAX):
        _, said = await process.running.communicate()
    assert process.running.returncode is not None
    return process.running.returncode, said.decode().splitlines()
