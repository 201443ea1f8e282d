"""What the bank does with a request: the line to it, its pace, its decision, its book."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from services.acquirer import simulator
from services.acquirer.book import Book
from services.acquirer.cards import LOST_REPLIES, LOST_REQUESTS, NEVER, Scenario, Verb
from services.acquirer.errors import NeverError, StaleRulesError, UnreachableError
from services.acquirer.outage import Outages
from services.acquirer.pace import Pace
from services.acquirer.rule_book import RuleBook
from services.acquirer.rules import (
    NOBODY,
    Circumstances,
    Effect,
    Request,
    delay_seconds,
)
from services.acquirer.rulings import Ruling, Rulings
from services.acquirer.seen import Result, Seen, SeenLog
from services.acquirer.simulator import Authorization, Instruction, Outcome

T = TypeVar("T")


class Bank:
    """The bank. All methods but `reverse` raise UnreachableError while their reference is cut off.

    No connection and no lock is held while the bank takes its time.

    Attributes:
        rules: What merchants of the sandbox have it do.
        seen: What it was asked for.
    """

    def __init__(
        self,
        book: Book,
        outages: Outages,
        *,
        slow_seconds: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._book = book
        self._outages = outages
        self._slow_seconds = slow_seconds
        self._sleep = sleep
        self._pace = Pace(sleep)
        self.rules = RuleBook(book.pool)
        self.seen = SeenLog()
        self._rulings = Rulings(book.pool, self.rules)

    async def authorize(self, asked: Authorization, told: Circumstances = NOBODY) -> Outcome:
        """Reserve an amount.

        Raises:
            ReferenceReusedError: The reference belongs to another authorization.
            NeverError: The bank will not, for this card.
        """
        amount = asked.minor_units
        seen = self.seen.add(Verb.AUTHORIZE, asked.reference, told, minor_units=amount)
        return await seen.noting(self._authorized(asked, seen))

    async def operate(self, instruction: Instruction, told: Circumstances = NOBODY) -> Outcome:
        """Capture, void or refund.

        Raises:
            ReferenceReusedError: The reference belongs to another instruction.
            NeverError: The bank will not, for this card.
        """
        verb = simulator.verb_of(instruction.operation)
        seen = self.seen.add(verb, instruction.reference, told)
        return await seen.noting(self._operated(instruction, seen))

    async def reverse(self, authorization_reference: str, told: Circumstances = NOBODY) -> Outcome:
        """Release a hold, outage or not: it is how the caller gets out of doubt."""
        seen = self.seen.add("REVERSE", authorization_reference, told)
        return await seen.noting(self._book.reverse(authorization_reference))

    async def inquire(self, reference: str, told: Circumstances = NOBODY) -> Outcome:
        """Tell what became of an authorization or an operation."""
        seen = self.seen.add("INQUIRE", reference, told)
        return await seen.noting(self._inquired(reference, told))

    async def erase(self, references: Sequence[str]) -> None:
        """Remove operations, as if they had never been."""
        await self._book.erase(references)

    async def _authorized(self, asked: Authorization, seen: Seen) -> Outcome:
        self._outages.check(asked.reference)
        request = Request(Verb.AUTHORIZE, asked.reference, asked.minor_units, seen.told)
        is_sent = False
        while True:
            version, rules = self.rules.version, self.rules.matching(request)
            ruling = await self._rulings.authorize(asked, request, rules) if rules else None
            if isinstance(ruling, Ruling):
                return simulator.replay_authorize(await self._ended(ruling, seen), asked)
            if ruling is None and not is_sent:
                await self._transmit(seen, asked.scenario, Verb.AUTHORIZE)
                is_sent = True
            try:
                held = await self._book.authorize(asked, rules_version=version)
            except StaleRulesError:
                await self.rules.refresh(version)
                continue
            outcome = simulator.replay_authorize(held, asked)
            self._reply(seen, asked.scenario, Verb.AUTHORIZE)
            return outcome

    async def _operated(self, instruction: Instruction, seen: Seen) -> Outcome:
        reference, verb = instruction.reference, simulator.verb_of(instruction.operation)
        self._outages.check(reference)
        found = await self._book.find(instruction)
        if found.rules_version > self.rules.version:
            await self.rules.refresh(self.rules.version)
        hold = found.authorization
        scenario = hold.scenario if hold else Scenario.APPROVED
        seen.minor_units = simulator.minor_units_of(instruction.operation, hold)
        request = Request(verb, reference, seen.minor_units, seen.told)
        rules = () if found.recorded else self.rules.matching(request)
        if rules:
            ruling = await self._rulings.operate(instruction, scenario, request, rules)
            if isinstance(ruling, Ruling):
                return await self._ended(ruling, seen)
        await self._transmit(seen, scenario, verb)
        decision = await self._book.apply(instruction, found)
        self._reply(seen, scenario, verb)
        return decision

    async def _inquired(self, reference: str, told: Circumstances) -> Outcome:
        self._outages.check(reference)
        await self._rulings.ensure_reachable(reference, told)
        return await self._book.inquire(reference)

    async def _ended(self, ruling: Ruling[T], seen: Seen) -> T:
        """Answer as a rule says, when it says."""
        rule, seen.rule_id = ruling.rule, ruling.rule.id
        await self._pace.wait(seen.told.merchant_id, delay_seconds(rule, seen.reference))
        if rule.effect is Effect.LOSE_REPLY:
            self._lose(seen, Result.REPLY_LOST)
        if ruling.recorded is None:
            if rule.effect is Effect.LOSE_REQUEST:
                self._lose(seen, Result.REQUEST_LOST)
            raise UnreachableError
        return ruling.recorded

    async def _transmit(self, seen: Seen, scenario: Scenario, verb: Verb) -> None:
        """Let the request reach the bank; late, not at all, or in vain if the card says so."""
        if scenario is Scenario.SLOW:
            await self._sleep(self._slow_seconds)
        if LOST_REQUESTS.get(scenario) is verb:
            self._lose(seen, Result.REQUEST_LOST)
        if NEVER.get(scenario) is verb:
            raise NeverError

    def _reply(self, seen: Seen, scenario: Scenario, verb: Verb) -> None:
        """Let the reply leave, unless the card says that it gets lost."""
        if LOST_REPLIES.get(scenario) is verb:
            self._lose(seen, Result.REPLY_LOST)

    def _lose(self, seen: Seen, what: Result) -> None:
        """Lose it, unless that has happened to it before."""
        try:
            self._outages.strike(seen.reference)
        except UnreachableError:
            seen.result = what
            raise
