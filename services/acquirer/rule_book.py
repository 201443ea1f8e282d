"""Rules as the bank has them: in its database, and in memory by their version.

An operation is decided by what is in memory. What records it compares the version, so that no rule
is missed that another process of the bank has made, and nobody looks rules up for an operation.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum, unique

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from pkg.postgres.sql import Pool
from services.acquirer import rule_messages, rule_rows
from services.acquirer.entries import SQL, Connection
from services.acquirer.reaching import reached
from services.acquirer.rules import Request, Rule, matching

RULES_MAX = 100  # of a merchant
_FORGOTTEN = b""  # in the place of a rule: the key is of a request to forget all


@unique
class Result(StrEnum):
    """What became of a request to make a rule."""

    CREATED = "CREATED"
    REPLAYED = "REPLAYED"
    KEY_REUSED = "KEY_REUSED"
    FULL = "FULL"


@dataclass(frozen=True, slots=True)
class Created:
    """What became of it, and the rule as it was made; None without one."""

    result: Result
    rule: Rule | None = None


class RuleBook:
    """All rules. What asks the database raises UnreachableError while that is away.

    Attributes:
        version: Of the rules in memory.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._rules: dict[str, tuple[Rule, ...]] = {}
        self._loading = asyncio.Lock()
        self.version = 0

    def of(self, merchant_id: str) -> Sequence[Rule]:
        """Return a merchant's rules, as they are in memory, in the order of their creation."""
        return self._rules.get(merchant_id, ())

    def matching(self, request: Request) -> Sequence[Rule]:
        """Return those that are for a request."""
        rules = self._rules.get(request.told.merchant_id)
        return matching(rules, request) if rules else ()

    async def refresh(self, stale: int) -> None:
        """Load what was changed, unless somebody has since the version `stale`."""
        async with self._loading:
            if self.version > stale:
                return
            with reached():
                self.version, changed = await rule_rows.changed_since(self._pool, self.version)
            self._rules.update(changed)
            for merchant_id in [owner for owner, rules in changed.items() if not rules]:
                del self._rules[merchant_id]

    def note_spent(self, merchant_id: str, rule: Rule) -> None:
        """Remember that a rule can't be used any more: it is spent, or gone."""
        gone = None if rule.times is None else replace(rule, hits=rule.times)
        rules = (gone if one.id == rule.id else one for one in self.of(merchant_id))
        self._rules[merchant_id] = tuple(one for one in rules if one)

    async def list(self, merchant_id: str) -> Sequence[Rule]:
        """Return a merchant's rules with their hits, in the order of their creation."""
        with reached():
            return await rule_rows.of_merchant(self._pool, merchant_id)

    async def create(self, merchant_id: str, rule: Rule, key: str) -> Created:
        """Make a rule, or return the one that a request with the same key has made."""
        told = rule_messages.encoded(replace(rule, id=""))
        fingerprint = hashlib.sha256(told.SerializeToString(deterministic=True)).digest()
        with reached():
            async with self._pool.acquire() as connection, connection.transaction():
                # First, so that two with one key come one after the other.
                await connection.fetch(SQL["change_rules"], merchant_id)
                if key and (kept := await _kept(connection, merchant_id, key)):
                    if kept[0] != fingerprint:
                        return Created(Result.KEY_REUSED)
                    return Created(Result.REPLAYED, rule_messages.decoded(kept[1]))
                made = await rule_rows.create(connection, merchant_id, rule, rules_max=RULES_MAX)
                if made is None:
                    return Created(Result.FULL)
                if key:
                    stored = rule_messages.encoded(made).SerializeToString()
                    await connection.fetch(
                        SQL["keep_rule_key"], merchant_id, key, fingerprint, stored
                    )
        await self.refresh(self.version)
        return Created(Result.CREATED, made)

    async def delete(self, merchant_id: str, rule_id: str) -> bool:
        """Remove a rule; return whether there was one."""
        with reached():
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.fetch(SQL["change_rules"], merchant_id)
                found = await connection.fetch(SQL["delete_rule"], merchant_id, rule_id)
        await self.refresh(self.version)
        return bool(found)

    async def forget(self, merchant_id: str, key: str) -> bool:
        """Remove all of a merchant's rules; False if a request with the same key has before.

        Without a key the merchant itself is forgotten, sooner or later.
        """
        with reached():
            if not key and not await self._pool.fetchval(SQL["has_rule_book"], merchant_id):
                return True
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.fetch(SQL["change_rules"], merchant_id)
                if key and await _kept(connection, merchant_id, key):
                    return False
                await connection.fetch(SQL["forget_rules"], merchant_id)
                if key:
                    await connection.fetch(SQL["keep_rule_key"], merchant_id, key, b"", _FORGOTTEN)
                else:
                    await connection.fetch(SQL["drop_rule_books"])
        await self.refresh(self.version)
        return True


async def _kept(connection: Connection, merchant_id: str, key: str) -> tuple[bytes, pb.Rule] | None:
    rows = await connection.fetch(SQL["find_rule_key"], merchant_id, key)
    return (rows[0]["fingerprint"], pb.Rule.FromString(rows[0]["rule"])) if rows else None
