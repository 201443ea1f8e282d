"""The bank's book in PostgreSQL: what waits is recorded in groups, as the gateway's is."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Self

import asyncpg
import structlog

from pkg.errors import DependencyUnavailableError
from pkg.observe.tracing import Tracer
from pkg.postgres.connection import KEPT
from pkg.postgres.group_commit import GroupCommit
from pkg.postgres.sql import Pool, Proof, open_pool
from pkg.secret import Secret
from services.acquirer import entries, simulator
from services.acquirer.entries import ANY_VERSION, SQL, Approval, Asked, Found
from services.acquirer.errors import ReferenceReusedError, StaleRulesError, UnreachableError
from services.acquirer.reaching import reached
from services.acquirer.simulator import (
    Authorization,
    Decision,
    Declined,
    Instruction,
    Outcome,
    Reversed,
    Word,
)

logger = structlog.get_logger()

# One of a group may have spoilt it: a reference that stands in it twice, or what a table refuses.
_POISON = (
    asyncpg.CardinalityViolationError,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
)


class Book:
    """Authorizations and operations. All raise UnreachableError while PostgreSQL is away.

    A statement may have been carried out all the same: as with every lost reply, Inquire tells.
    """

    def __init__(
        self, pool: Pool, *, wait_seconds_max: float, tracer: Tracer | None = None
    ) -> None:
        self._pool = pool
        self._proof = Proof(pool, wait_seconds_max=wait_seconds_max, tracer=tracer)
        group = partial(
            GroupCommit,
            is_poisoned=lambda problem: isinstance(problem, _POISON),
            wait_seconds_max=wait_seconds_max,
            tracer=tracer,
        )
        self._authorizations: GroupCommit[Asked, Authorization | None] = group(
            partial(entries.authorize, pool), name="authorize"
        )
        self._finds: GroupCommit[Instruction, Found] = group(
            partial(entries.find, pool), name="find"
        )
        self._approvals: GroupCommit[Approval, bool] = group(
            partial(entries.record_approved, pool), name="approve"
        )

    @classmethod
    async def open(
        cls,
        url: Secret,
        *,
        connections_max: int,
        statement_seconds_max: float,
        attempts_max: int,
        pause_seconds: float,
        tracer: Tracer | None = None,
    ) -> Self:
        """Connect, and try again while PostgreSQL is not there yet.

        Raises:
            UnreachableError: It did not come within `attempts_max` attempts, or lets nobody in.
                The message holds nothing of the URL.
        """
        for attempt in range(1, attempts_max + 1):
            try:
                pool = await open_pool(
                    url.reveal(),
                    size=connections_max,
                    command_timeout_seconds=statement_seconds_max,
                    name="acquirer",
                    tracer=tracer,
                )
            except DependencyUnavailableError as error:
                cause = error.__cause__
                if isinstance(cause, asyncpg.ClientConfigurationError):
                    raise UnreachableError("The URL of the bank's database is malformed.") from None
                logger.warning("database.away", attempt=attempt, error=type(cause).__name__)
                if attempt < attempts_max:
                    await asyncio.sleep(pause_seconds)
            except asyncpg.PostgresError as error:  # a wrong name or password: waiting is no cure
                reason = type(error).__name__
                raise UnreachableError(f"The bank's database refuses: {reason}.") from None
            else:
                return cls(pool, wait_seconds_max=statement_seconds_max, tracer=tracer)
        raise UnreachableError("The bank's database cannot be reached.")

    @property
    def pool(self) -> Pool:
        """The connections, to be looked at."""
        return self._pool

    async def close(self) -> None:
        """Close every connection, after what they are doing."""
        await self._pool.close()

    async def authorize(
        self, asked: Authorization, *, rules_version: int = ANY_VERSION
    ) -> Authorization:
        """Record an authorization and return it, or the one that has its reference already.

        Raises:
            StaleRulesError: Rules were changed since the version by which it was decided.
        """
        with reached():
            held = await self._authorizations.result_of(Asked(asked, rules_version))
        if held is None:
            raise StaleRulesError
        return held

    async def reverse(self, authorization_reference: str) -> Outcome:
        """Release what an authorization still holds, or block its reference if it is not known."""
        with reached():
            await self._pool.execute(SQL["reverse"], authorization_reference)
        return Reversed()

    async def find(self, instruction: Instruction) -> Found:
        """Return what the book says about an instruction, in one snapshot."""
        with reached():
            return await self._finds.result_of(instruction)

    async def apply(self, instruction: Instruction, found: Found) -> Decision:
        """Decide and record an instruction, or return how it ended the first time.

        Tries with what was `found` before, in one statement. If that has changed since, decides
        again under the authorization's row lock, where nothing can change any more.

        Raises:
            ReferenceReusedError: The reference belongs to another instruction.
        """
        with reached():
            if found.recorded:
                await self._proof.ensure_kept()
            decision = await _settled(self._pool, instruction, found, self._approvals.result_of)
            if decision is None:
                decision = await self._settled_alone(instruction)
        if decision is None:  # the reference was taken meanwhile, for another authorization
            raise ReferenceReusedError
        return decision

    async def inquire(self, reference: str) -> Outcome:
        """Return how an authorization or an operation ended."""
        with reached():
            outcome = await entries.inquire(self._pool, reference)
            await self._proof.ensure_kept()
        return outcome

    async def erase(self, references: Sequence[str]) -> None:
        """Remove operations and what rules were used for them."""
        with reached():
            await self._pool.execute(SQL["erase"], references)
            await self._proof.ensure_kept()  # they may have been gone: then nothing was waited for

    async def _settled_alone(self, instruction: Instruction) -> Decision | None:
        """Settle under the authorization's lock, in a transaction that no group has a part in.

        Its commit keeps what it has found.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            return await settled_under_lock(connection, instruction)


async def settled_under_lock(
    connection: entries.Connection, instruction: Instruction, word: Word | None = None
) -> Decision | None:
    """Settle an instruction in a transaction, under its authorization's lock.

    Return None if its reference was taken meanwhile. A `word` counts instead of the card's.
    """
    await connection.fetch(SQL["lock"], instruction.authorization_reference)
    (found,) = await entries.find(connection, [instruction])
    if found.recorded:  # and with no authorization to lock, nothing of ours would be waited for
        await connection.fetch(KEPT)

    async def approve(approval: Approval) -> bool:
        (done,) = await entries.record_approved(connection, [approval])
        return done

    return await _settled(connection, instruction, found, approve, word)


async def _settled(
    connection: entries.Connection,
    instruction: Instruction,
    found: Found,
    approve: Callable[[Approval], Awaitable[bool]],
    word: Word | None = None,
) -> Decision | None:
    """Return how the instruction ended; None when what was found is no longer so."""
    if found.recorded:
        return simulator.replay(found.recorded, instruction)
    decision, after = simulator.decide(found.authorization, instruction, word)
    if isinstance(decision, Declined):
        done = await entries.record_declined(connection, instruction, decision)
    else:
        assert after is not None
        done = await approve(Approval(instruction=instruction, decision=decision, after=after))
    return decision if done else None
