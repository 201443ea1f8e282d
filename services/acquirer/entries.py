"""The statements of the bank's book, which stand in `sql/`, and what their rows mean.

Each works on a group, in one statement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from pkg.postgres.sql import statements
from services.acquirer import simulator
from services.acquirer.cards import Decline, Scenario, Verb
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

ANY_VERSION = 2**63 - 1  # of rules: for what no rule can change
SQL = statements(Path(__file__).with_name("sql"))


class Connection(Protocol):
    """What runs a statement: a pool, or the one connection of a transaction."""

    async def fetch(self, sql: str, /, *arguments: Any) -> list[asyncpg.Record]:
        """Return the rows of a statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the book says about an instruction at one moment."""

    authorization: Authorization | None
    recorded: Recorded | None
    rules_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """An instruction that is approved, and the authorization after it."""

    instruction: Instruction
    decision: Approved
    after: Authorization  # of the version before it


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization, and the version of the rules by which it was decided."""

    authorization: Authorization
    rules_version: int


async def authorize(
    connection: Connection, asked: Sequence[Asked]
) -> Sequence[Authorization | None]:
    """Record authorizations and return them, or those that have their references already.

    All None, and nothing is recorded, if rules were changed since one was decided.
    """
    rows = await connection.fetch(
        SQL["authorize"],
        *_columns(
            (
                a.reference,
                a.status,
                a.scenario,
                a.minor_units,
                a.currency,
                a.decline_code,
                a.approval_code,
            )
            for a in (one.authorization for one in asked)
        ),
        min(one.rules_version for one in asked),
    )
    held = {row["reference"]: _authorization(row) for row in rows}
    return [held.get(one.authorization.reference) for one in asked]


async def find(connection: Connection, instructions: Sequence[Instruction]) -> Sequence[Found]:
    """Return what the book says about instructions, in one snapshot."""
    rows = await connection.fetch(
        SQL["find"], *_columns((i.authorization_reference, i.reference) for i in instructions)
    )
    return [
        Found(
            authorization=_authorization(row) if row["reference"] else None,
            recorded=_recorded(row) if row["operation_reference"] else None,
            rules_version=row["rules_version"],
        )
        for row in rows
    ]


async def record_approved(connection: Connection, approvals: Sequence[Approval]) -> Sequence[bool]:
    """Write approvals; False where the reference is in use or the authorization has moved."""
    rows = await connection.fetch(
        SQL["record_approved"],
        *_columns(
            (
                *_operation_row(a.instruction),
                a.decision.approval_code,
                a.after.version,
                a.after.status,
                a.after.captured,
                a.after.refunded,
                a.after.released,
            )
            for a in approvals
        ),
    )
    recorded = {row["ord"] for row in rows}
    return [number in recorded for number in range(1, len(approvals) + 1)]


async def record_declined(
    connection: Connection, instruction: Instruction, decision: Declined
) -> bool:
    """Write a refusal; False when the reference is in use."""
    return bool(
        await connection.fetch(SQL["record_declined"], *_operation_row(instruction), decision.code)
    )


async def inquire(connection: Connection, reference: str) -> Outcome:
    """Return how an authorization or an operation ended."""
    rows = await connection.fetch(SQL["inquire"], reference)
    if not rows:
        return NotFound()
    if rows[0]["status"] == Status.REVERSED:
        return Reversed()
    return _decision(rows[0]["decline_code"], rows[0]["approval_code"])


def _columns(rows: Any) -> Sequence[Sequence[object]]:
    return list(zip(*rows, strict=True))


def _operation_row(instruction: Instruction) -> tuple[object, ...]:
    operation = instruction.operation
    return (
        instruction.reference,
        instruction.authorization_reference,
        simulator.verb_of(operation),
        None if isinstance(operation, Void) else operation.minor_units,
        isinstance(operation, Capture) and operation.final,
        isinstance(operation, Void) and operation.remainder,
    )


def _authorization(row: asyncpg.Record) -> Authorization:
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
    if row["operation_verb"] == Verb.REFUND:
        return Refund(minor_units=minor_units)
    return Void(remainder=row["operation_remainder"])


def _decision(decline_code: str | None, approval_code: str | None) -> Decision:
    return Declined(Decline(decline_code)) if decline_code else Approved(approval_code or "")
