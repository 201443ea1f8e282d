"""The statements of rules, which stand in `sql/`, and what their rows mean."""

from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from services.acquirer.cards import Decline, Verb
from services.acquirer.entries import SQL, Connection
from services.acquirer.rules import Effect, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """What a look at an operation has found: which rule was used for it, and when."""

    rule_id: str | None
    age: timedelta
    is_recorded: bool


async def changed_since(
    connection: Connection, version: int
) -> tuple[int, dict[str, tuple[Rule, ...]]]:
    """Return the version now, and the rules of all whose rules were changed since another."""
    rows = await connection.fetch(SQL["load_rules"], version)
    found: dict[str, list[Rule]] = {row["owner"]: [] for row in rows if row["owner"]}
    for row in rows:
        if row["id"]:
            found[row["owner"]].append(_rule(row))
    return rows[0]["rules_version"], {owner: tuple(rules) for owner, rules in found.items()}


async def of_merchant(connection: Connection, merchant_id: str) -> list[Rule]:
    """Return a merchant's rules in the order in which they were made."""
    return [_rule(row) for row in await connection.fetch(SQL["list_rules"], merchant_id)]


async def create(
    connection: Connection, merchant_id: str, rule: Rule, *, rules_max: int
) -> Rule | None:
    """Make a rule; None if the merchant has as many already."""
    rows = await connection.fetch(
        SQL["create_rule"],
        rule.id,
        merchant_id,
        rule.verb,
        rule.minor_units_min,
        rule.minor_units_max,
        rule.currency,
        rule.brand,
        rule.last4,
        rule.reference_prefix,
        rule.effect,
        rule.decline_code,
        rule.delay_ms,
        rule.jitter_ms,
        rule.times,
        rule.percent,
        rule.active_from,
        rule.active_until,
        rules_max,
    )
    return _rule(rows[0]) if rows else None


async def use(connection: Connection, merchant_id: str, rule_id: str, reference: str) -> bool:
    """Use a rule for an operation; False if it is gone or spent."""
    return bool(await connection.fetch(SQL["use_rule"], rule_id, merchant_id, reference))


async def look(connection: Connection, reference: str) -> Use:
    """Return which rule was used for an operation, if any was."""
    (row,) = await connection.fetch(SQL["look_at_use"], reference)
    return Use(
        rule_id=row["rule_id"],
        age=timedelta(seconds=row["seconds"] or 0.0),
        is_recorded=row["is_recorded"],
    )


def _rule(row: asyncpg.Record) -> Rule:
    return Rule(
        id=row["id"],
        verb=row["verb"] and Verb(row["verb"]),
        minor_units_min=row["minor_units_min"],
        minor_units_max=row["minor_units_max"],
        currency=row["currency"],
        brand=row["brand"],
        last4=row["last4"],
        reference_prefix=row["reference_prefix"],
        effect=Effect(row["effect"]),
        decline_code=row["decline_code"] and Decline(row["decline_code"]),
        delay_ms=row["delay_ms"],
        jitter_ms=row["jitter_ms"],
        times=row["times"],
        percent=row["percent"],
        active_from=row["active_from"],
        active_until=row["active_until"],
        hits=row["hits"],
        created_at=row["created_at"],
    )
