"""The seam between the driver's errors and ours."""

import asyncpg
import pytest

from pkg.errors import DependencyUnavailableError
from pkg.postgres.sql import translated


@pytest.mark.parametrize(
    "problem",
    [
        OSError(),
        TimeoutError(),
        asyncpg.ConnectionDoesNotExistError(),
        asyncpg.AdminShutdownError(),
        asyncpg.InterfaceError("connection is closed"),
        # Of a connection that was lost while a statement was prepared on it for the first time.
        asyncpg.InternalClientError("cannot switch to state 12"),
        asyncpg.TooManyConnectionsError(),
        asyncpg.DeadlockDetectedError(),
    ],
    ids=lambda problem: type(problem).__name__,
)
async def test_a_database_that_is_away_is_no_bug(problem: Exception) -> None:
    """Whatever the driver calls it, a client may try again, and a worker goes on."""
    with pytest.raises(DependencyUnavailableError), translated():
        raise problem


async def test_a_bug_is_no_database_that_is_away() -> None:
    """A statement that is wrong is not hidden."""
    with pytest.raises(asyncpg.PostgresSyntaxError), translated():
        raise asyncpg.PostgresSyntaxError
