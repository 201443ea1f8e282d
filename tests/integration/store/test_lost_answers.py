"""A commit whose acknowledgement is lost is looked up, and never repeated."""

from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from pkg.errors import DependencyUnavailableError
from services.payments.ports import CommitResult
from tests.builders import LATER, MERCHANT, a_reply, begun
from tests.integration.store.changes import OnPostgres, ended, keyed, loses_acknowledgements, stored


async def test_a_commit_without_acknowledgement_is_looked_up(on_postgres: OnPostgres) -> None:
    """A connection cut after the commit is no failure if the action turns out to be stored."""
    change = keyed(begun())
    loses_acknowledgements(on_postgres.store)
    assert await on_postgres.store.commit(change) is CommitResult.COMMITTED


async def test_an_end_that_somebody_else_has_stored_is_not_ours(on_postgres: OnPostgres) -> None:
    """Cut off in a commit, and the action has ended as wanted, but by another hand: a conflict."""
    first = await stored(on_postgres.store, keyed(begun()))
    ours, writes = ended(first, a_reply("ours")), on_postgres.store._writes
    earlier = replace(ours.payment, update_time=LATER - timedelta(seconds=1))
    theirs = replace(ours, payment=earlier, reply=a_reply("theirs"))

    class Cut:
        """Loses the connection; meanwhile somebody else ends the action."""

        async def fetch(self, *_: object) -> object:
            on_postgres.store._writes = writes
            assert await on_postgres.store._write([(theirs,)]) == [CommitResult.COMMITTED]
            raise asyncpg.ConnectionDoesNotExistError

    on_postgres.store._writes = Cut()  # type: ignore[assignment]
    assert await on_postgres.store.commit(ours) is CommitResult.CONFLICT


async def test_a_commit_that_is_not_found_is_not_repeated(on_postgres: OnPostgres) -> None:
    """A connection cut before the commit proves nothing: the caller is told, nothing is stored."""

    class Cut:
        """Loses the connection before anything is written."""

        async def fetch(self, *_: object) -> object:
            raise asyncpg.ConnectionDoesNotExistError

    on_postgres.store._writes = Cut()  # type: ignore[assignment]
    change = keyed(begun())
    with pytest.raises(DependencyUnavailableError):
        await on_postgres.store.commit(change)
    assert await on_postgres.store.load_action(MERCHANT, change.actions[0].id) is None
