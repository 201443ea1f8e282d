"""What the bank does with a request: the line to it, its pace, its decision, its book."""

import asyncio
from collections.abc import Awaitable, Callable

from services.acquirer import simulator
from services.acquirer.book import Book
from services.acquirer.cards import LOST_REPLIES, LOST_REQUESTS, NEVER, Scenario, Verb
from services.acquirer.errors import NeverError
from services.acquirer.outage import Outages
from services.acquirer.simulator import Authorization, Instruction, Outcome


class Bank:
    """The bank. All methods but `reverse` raise UnreachableError while their reference is cut off.

    No connection and no lock is held while the bank takes its time.
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

    async def authorize(self, asked: Authorization) -> Outcome:
        """Reserve an amount.

        Raises:
            ReferenceReusedError: The reference belongs to another authorization.
            NeverError: The bank will not, for this card.
        """
        self._outages.check(asked.reference)
        await self._transmit(asked.reference, asked.scenario, Verb.AUTHORIZE)
        outcome = simulator.replay_authorize(await self._book.authorize(asked), asked)
        self._reply(asked.reference, asked.scenario, Verb.AUTHORIZE)
        return outcome

    async def operate(self, instruction: Instruction) -> Outcome:
        """Capture, void or refund.

        Raises:
            ReferenceReusedError: The reference belongs to another instruction.
            NeverError: The bank will not, for this card.
        """
        reference, verb = instruction.reference, simulator.verb_of(instruction.operation)
        self._outages.check(reference)
        found = await self._book.find(instruction)
        scenario = found.authorization.scenario if found.authorization else Scenario.APPROVED
        await self._transmit(reference, scenario, verb)
        decision = await self._book.apply(instruction, found)
        self._reply(reference, scenario, verb)
        return decision

    async def reverse(self, authorization_reference: str) -> Outcome:
        """Release a hold, outage or not: it is how the caller gets out of doubt."""
        return await self._book.reverse(authorization_reference)

    async def inquire(self, reference: str) -> Outcome:
        """Tell what became of an authorization or an operation."""
        self._outages.check(reference)
        return await self._book.inquire(reference)

    async def _transmit(self, reference: str, scenario: Scenario, verb: Verb) -> None:
        """Let the request reach the bank; late, not at all, or in vain if the card says so."""
        if scenario is Scenario.SLOW:
            await self._sleep(self._slow_seconds)
        if LOST_REQUESTS.get(scenario) is verb:
            self._outages.strike(reference)
        if NEVER.get(scenario) is verb:
            raise NeverError

    def _reply(self, reference: str, scenario: Scenario, verb: Verb) -> None:
        """Let the reply leave, unless the card says that it gets lost."""
        if LOST_REPLIES.get(scenario) is verb:
            self._outages.strike(reference)
