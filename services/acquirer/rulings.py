"""What a rule decides: its use is counted in the transaction that records the operation.

So a rule is used exactly as often as it may be, whatever runs at once and whatever dies. Nothing of
this runs for an operation that no rule is for.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Generic, TypeVar, assert_never
from weakref import WeakValueDictionary

from pkg.postgres.sql import Pool
from services.acquirer import entries, rule_rows, simulator
from services.acquirer.book import settled_under_lock
from services.acquirer.cards import NEVER, Scenario
from services.acquirer.entries import ANY_VERSION, SQL, Asked, Connection
from services.acquirer.errors import NeverError, UnreachableError
from services.acquirer.reaching import reached
from services.acquirer.rule_book import RuleBook
from services.acquirer.rules import Circumstances, Effect, Request, Rule, is_active
from services.acquirer.simulator import (
    Approve,
    Authorization,
    Decision,
    Declined,
    Instruction,
    Word,
)

# For so long of real time the bank is away for an operation, however long its rule stands: nothing
# stays open for ever.
AWAY_MAX = timedelta(minutes=1)
# Of the bank's connections, so many wait for others that use the same rule.
_AT_ONCE_MAX = 3

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ruling(Generic[T]):
    """A rule was used; with what was recorded, or None if nothing was."""

    rule: Rule
    recorded: T | None


class Known:
    """The book has the operation already: nothing is left to decide."""


KNOWN: Final = Known()


class _TakenError(Exception):
    """The reference was taken meanwhile: nothing of this is kept."""


class Rulings:
    """Decides operations by rules."""

    def __init__(self, pool: Pool, rules: RuleBook) -> None:
        self._pool = pool
        self._rules = rules
        # One at a time of a merchant, so that a busy rule takes up one connection and not all.
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._places = asyncio.Semaphore(_AT_ONCE_MAX)

    async def authorize(
        self, asked: Authorization, request: Request, rules: Sequence[Rule]
    ) -> Ruling[Authorization] | Known | None:
        """Decide an authorization by the first of these rules that can be used.

        Return None if there is none: then the card decides.

        Raises:
            UnreachableError: The bank is away for it, by a rule that was used for it before.
            NeverError: The bank will not, for this card.
        """

        async def record(connection: Connection, word: Word | None) -> Authorization:
            line = simulator.ruled(asked, word) if word else asked
            (held,) = await entries.authorize(connection, [Asked(line, ANY_VERSION)])
            if held != line:
                raise _TakenError
            return line

        return await self._decided(request, asked.scenario, rules, record)

    async def operate(
        self, instruction: Instruction, scenario: Scenario, request: Request, rules: Sequence[Rule]
    ) -> Ruling[Decision] | Known | None:
        """Decide a capture, void or refund in the same way."""

        async def record(connection: Connection, word: Word | None) -> Decision:
            decision = await settled_under_lock(connection, instruction, word)
            if decision is None:
                raise _TakenError
            return decision

        return await self._decided(request, scenario, rules, record)

    async def ensure_reachable(self, reference: str, told: Circumstances) -> None:
        """Return, unless the bank is away for an operation by a rule that was used for it.

        Raises:
            UnreachableError: It is.
        """
        rules = [rule for rule in self._rules.of(told.merchant_id) if is_active(rule, told.time)]
        if any(rule.effect is Effect.UNAVAILABLE for rule in rules):
            with reached():
                use = await rule_rows.look(self._pool, reference)
            _meet_again(use, rules)

    async def _decided(
        self,
        request: Request,
        scenario: Scenario,
        rules: Sequence[Rule],
        record: Callable[[Connection, Word | None], Awaitable[T]],
    ) -> Ruling[T] | Known | None:
        try:
            with reached():
                async with (
                    self._turn_of(request.told.merchant_id),
                    self._places,
                    self._pool.acquire() as connection,
                    connection.transaction(),
                ):
                    await connection.fetch(SQL["hold_reference"], request.reference)
                    use = await rule_rows.look(connection, request.reference)
                    if use.is_recorded:
                        return KNOWN
                    if use.rule_id:
                        _meet_again(use, rules)
                        return None
                    rule = await self._used(connection, request, rules)
                    if rule is None:
                        return None
                    return Ruling(rule, await _effect(connection, rule, request, scenario, record))
        except _TakenError:
            return KNOWN

    async def _used(
        self, connection: Connection, request: Request, rules: Sequence[Rule]
    ) -> Rule | None:
        """Use the first rule that can be, and return it."""
        merchant_id = request.told.merchant_id
        for rule in rules:
            if rule.is_spent:
                continue
            if await rule_rows.use(connection, merchant_id, rule.id, request.reference):
                return rule
            self._rules.note_spent(merchant_id, rule)
        return None

    def _turn_of(self, merchant_id: str) -> AbstractAsyncContextManager[None]:
        return self._turns.setdefault(merchant_id, asyncio.Lock())


async def _effect(
    connection: Connection,
    rule: Rule,
    request: Request,
    scenario: Scenario,
    record: Callable[[Connection, Word | None], Awaitable[T]],
) -> T | None:
    """Record what a rule makes of an operation; None if that is nothing."""
    match rule.effect:
        case Effect.APPROVE:
            return await record(connection, Approve())
        case Effect.DECLINE:
            assert rule.decline_code is not None
            return await record(connection, Declined(rule.decline_code))
        case Effect.LOSE_REPLY:
            if NEVER.get(scenario) is request.verb:
                raise NeverError  # the card's word: there is no reply that could be lost
            return await record(connection, None)
        case Effect.LOSE_REQUEST | Effect.UNAVAILABLE:
            return None
        case _:
            assert_never(rule.effect)


def _meet_again(use: rule_rows.Use, rules: Sequence[Rule]) -> None:
    """Return, unless the rule that was used for an operation still keeps the bank away from it."""
    is_away = any(rule.id == use.rule_id and rule.effect is Effect.UNAVAILABLE for rule in rules)
    if is_away and use.age < AWAY_MAX:
        raise UnreachableError
