"""The bank's book in PostgreSQL: every statement stands in `sql/`, and is whole there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import asyncpg
import structlog

from pkg.secret import Secret
from pkg.tracing import Tracer, watching
from services.acquirer import simulator
from services.acquirer.cards import Decline, Scenario, Verb
from services.acquirer.error import ReferenceReusedError, UnreachableError
from services.acquirer.simulator import (
    Approved,
    Authorization,
    Capture,
    Decision,
    Declined,
    Instruction,
    NotFound,
    Operation,
    Outcome,
    Recorded,
    Refund,
    Reversed,
    Status,
    Void,
)

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    Connection = PoolConnectionProxy[asyncpg.Record]

logger = structlog.get_logger()

_SQL = Path(__file__).with_name("sql")
_AUTHORIZE = (_SQL / "authorize.sql").read_text("utf-8")
_REVERSE = (_SQL / "reverse.sql").read_text("utf-8")
_FIND = (_SQL / "find.sql").read_text("utf-8")
_LOCK = (_SQL / "lock.sql").read_text("utf-8")
_RECORD_APPROVED = (_SQL / "record_approved.sql").read_text("utf-8")
_RECORD_DECLINED = (_SQL / "record_declined.sql").read_text("utf-8")
_INQUIRE = (_SQL / "inquire.sql").read_text("utf-8")

# What the driver raises while PostgreSQL is away, restarting, or too busy to answer in time. The
# statement may have been carried out all the same: as with every lost reply, Inquire tells.
_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the book says about an instruction at one moment."""

    authorization: Authorization | None
    recorded: Recorded | None


class Book:
    """Authorizations and operations. All raise UnreachableError while PostgreSQL is away."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, acquire_seconds_max: float) -> None:
        self._pool = pool
        self._acquire_seconds_max = acquire_seconds_max

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
                pool = await asyncpg.create_pool(
                    url.reveal(),
                    min_size=1,
                    max_size=connections_max,
                    timeout=statement_seconds_max,
                    command_timeout=statement_seconds_max,
                    reset=_nothing_to_reset,
                    init=watching(tracer),
                    server_settings={"application_name": "acquirer"},
                )
            except asyncpg.ClientConfigurationError:
                raise UnreachableError("The URL of the bank's database is malformed.") from None
            except _AWAY as error:
                logger.warning("database.away", attempt=attempt, error=type(error).__name__)
                if attempt < attempts_max:
                    await asyncio.sleep(pause_seconds)
            except asyncpg.PostgresError as error:  # a wrong name or password: waiting is no cure
                reason = type(error).__name__
                raise UnreachableError(f"The bank's database refuses: {reason}.") from None
            else:
                return cls(pool, acquire_seconds_max=statement_seconds_max)
        raise UnreachableError("The bank's database cannot be reached.")

    @property
    def pool(self) -> "asyncpg.Pool[asyncpg.Record]":
        """The connections, to be looked at."""
        return self._pool

    async def close(self) -> None:
        """Close every connection, after what they are doing."""
        await self._pool.close()

    async def authorize(self, asked: Authorization) -> Authorization:
        """Record an authorization and return it, or the one that has its reference already."""
        async with self._connection() as connection:
            row = await connection.fetchrow(
                _AUTHORIZE,
                asked.reference,
                asked.status,
                asked.scenario,
                asked.minor_units,
                asked.currency,
                asked.decline_code,
                asked.approval_code,
            )
        return _authorization(row)

    async def reverse(self, authorization_reference: str) -> Outcome:
        """Release what an authorization still holds, or block its reference if it is not known."""
        async with self._connection() as connection:
            await connection.execute(_REVERSE, authorization_reference)
        return Reversed()

    async def find(self, instruction: Instruction) -> Found:
        """Return what the book says about an instruction, in one snapshot."""
        async with self._connection() as connection:
            return await _find(connection, instruction)

    async def apply(self, instruction: Instruction, found: Found) -> Decision:
        """Decide and record an instruction, or return how it ended the first time.

        Tries with what was `found` before, in one statement. If that has changed since, decides
        again under the authorization's row lock, where nothing can change any more.

        Raises:
            ReferenceReusedError: The reference belongs to another instruction.
        """
        async with self._connection() as connection:
            decision = await _settled(connection, instruction, found)
            if decision is None:
                async with connection.transaction():
                    await connection.execute(_LOCK, instruction.authorization_reference)
                    found = await _find(connection, instruction)
                    decision = await _settled(connection, instruction, found)
        if decision is None:  # the reference was taken meanwhile, for another authorization
            raise ReferenceReusedError
        return decision

    async def inquire(self, reference: str) -> Outcome:
        """Return how an authorization or an operation ended."""
        async with self._connection() as connection:
            row = await connection.fetchrow(_INQUIRE, reference)
        if row is None:
            return NotFound()
        if row["status"] == Status.REVERSED:
            return Reversed()
        return _decision(row["decline_code"], row["approval_code"])

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["Connection"]:
        try:
            async with self._pool.acquire(timeout=self._acquire_seconds_max) as connection:
                yield connection
        except _AWAY as error:
            logger.warning("database.away", error=type(error).__name__)
            raise UnreachableError from error


async def _nothing_to_reset(_connection: object) -> None:
    """Spare a round trip per call: no statement of ours leaves anything behind in a session."""


async def _find(connection: "Connection", instruction: Instruction) -> Found:
    row = await connection.fetchrow(
        _FIND, instruction.authorization_reference, instruction.reference
    )
    assert row is not None
    return Found(
        authorization=_authorization(row) if row["reference"] else None,
        recorded=_recorded(row) if row["operation_reference"] else None,
    )


async def _settled(
    connection: "Connection", instruction: Instruction, found: Found
) -> Decision | None:
    """Return how the instruction ended; None when what was found is no longer so."""
    if found.recorded:
        return simulator.replay(found.recorded, instruction)
    decision, after = simulator.decide(found.authorization, instruction)
    done = await _record(connection, instruction, decision, after)
    return decision if done else None


async def _record(
    connection: "Connection",
    instruction: Instruction,
    decision: Decision,
    after: Authorization | None,
) -> bool:
    """Write the decision; False when the reference is in use or the authorization has moved."""
    operation = instruction.operation
    row = (
        instruction.reference,
        instruction.authorization_reference,
        simulator.verb_of(operation),
        None if isinstance(operation, Void) else operation.minor_units,
        isinstance(operation, Capture) and operation.final,
    )
    if isinstance(decision, Declined):
        return bool(await connection.fetchval(_RECORD_DECLINED, *row, decision.code))
    assert after is not None
    recorded = await connection.fetchval(
        _RECORD_APPROVED,
        *row,
        decision.approval_code,
        after.version,
        after.status,
        after.captured,
        after.refunded,
        after.released,
    )
    return bool(recorded)


def _authorization(row: Any) -> Authorization:  # a driver's row is untyped
    if row["minor_units"] is None:
        return simulator.blocked(row["reference"])
    return Authorization(
        reference=row["reference"],
        status=Status(row["status"]),
        scenario=Scenario(row["scenario"]),
        minor_units=row["minor_units"],
        currency=row["currency"],
        captured=row["captured"],
        refunded=row["refunded"],
        released=row["released"],
        decline_code=row["decline_code"] and Decline(row["decline_code"]),
        approval_code=row["approval_code"],
        version=row["version"],
    )


def _recorded(row: asyncpg.Record) -> Recorded:
    return Recorded(
        instruction=Instruction(
            reference=row["operation_reference"],
            authorization_reference=row["operation_authorization_reference"],
            operation=_operation(row),
        ),
        decision=_decision(row["operation_decline_code"], row["operation_approval_code"]),
    )


def _operation(row: asyncpg.Record) -> Operation:
    minor_units: int = row["operation_minor_units"]
    if row["operation_verb"] == Verb.CAPTURE:
        return Capture(minor_units=minor_units, final=row["operation_final"])
    return Refund(minor_units=minor_units) if row["operation_verb"] == Verb.REFUND else Void()


def _decision(decline_code: str | None, approval_code: str | None) -> Decision:
    return Declined(Decline(decline_code)) if decline_code else Approved(approval_code or "")
