"""Stories that run side by side, each in a sandbox of its own that no other may touch."""

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from paygate_client import (
    ActionStatus,
    AsyncPaygate,
    BankEffect,
    BankRule,
    BankVerb,
    Card,
    CreatedSandbox,
    DeclineCode,
    Expiry,
    Money,
    Payment,
    PaymentStatus,
)
from tests.sentinels import CVV, VISA

CARD = Card(VISA, Expiry(12, 2060), CVV)
POUND = Money(100, "GBP")
_PAYMENT = re.compile(r"pay_[0-9a-z]{26}")
INBOX = "https://inbox.paygate.test/"
WEEK = timedelta(days=8)  # and a day: an authorization has expired then
DRAIN = timedelta(seconds=30)
DECLINE = BankRule(
    effect=BankEffect.DECLINE,
    decline_code=DeclineCode.CAPTURE_REJECTED,
    verb=BankVerb.CAPTURE,
    times=1,
)
LOSE = BankRule(effect=BankEffect.LOSE_REQUEST, verb=BankVerb.REFUND, times=1)
AWAY = BankRule(effect=BankEffect.UNAVAILABLE, verb=BankVerb.CAPTURE)


@dataclass
class Told:
    """A sandbox, a client of it, and all that was done in it.

    Attributes:
        payments: The ids of its payments.
        ahead: How far its clock was turned.
        rules: How many rules it has.
        seconds: How long each expiry took: act, turn the clock, drain, look.
    """

    made: CreatedSandbox
    paygate: AsyncPaygate
    payments: set[str] = field(default_factory=set)
    ahead: timedelta = timedelta(0)
    rules: int = 0
    seconds: list[float] = field(default_factory=list)

    async def begin(self) -> None:
        """Have all events come into the inbox."""
        await self.paygate.endpoints.create(INBOX)

    async def tell(self, number: int) -> None:
        """Tell the story of that number: they take turns."""
        stories: tuple[Callable[[], Awaitable[None]], ...] = (
            self._declined_capture,
            self._lost_refund,
            self._expiry,
            self._outage,
        )
        await stories[number % len(stories)]()

    async def assert_alone(self) -> None:
        """Nothing is here but what was done here, and all of that."""
        sandbox = self.paygate.sandbox
        assert (await sandbox.drain(DRAIN)).drained
        listed = {one.id async for one in self.paygate.list_payments()}
        assert listed == self.payments
        assert (await sandbox.clock()).offset == self.ahead
        rules = await sandbox.bank_rules()
        assert [one.hits for one in rules] == [1] * self.rules
        came = [one.body async for one in sandbox.inbox()]
        assert set(_PAYMENT.findall(b"".join(came).decode())) == self.payments
        # Those from before the clock was turned by a month are removed.
        events = [one async for one in self.paygate.events.list()]
        assert {one.payment.id for one in events if one.payment} <= self.payments
        seen = [one async for one in sandbox.bank_requests()]
        assert {one.reference for one in seen} == {self.made.sandbox.name}

    async def _authorized(self) -> Payment:
        made = await self.paygate.authorize(POUND, card=CARD, reference=self.made.sandbox.name)
        assert made.payment.status is PaymentStatus.AUTHORIZED
        self.payments.add(made.payment.id)
        return made.payment

    async def _became(self, payment: Payment, status: PaymentStatus) -> None:
        found = await self.paygate.get_payment(payment)
        assert found.status is status

    async def _declined_capture(self) -> None:
        await self.paygate.sandbox.create_bank_rule(DECLINE)
        self.rules += 1
        payment = await self._authorized()
        outcome = await self._captured(payment)
        assert outcome is ActionStatus.DECLINED
        await self.paygate.void(payment, reference=self.made.sandbox.name)
        await self._became(payment, PaymentStatus.VOIDED)

    async def _lost_refund(self) -> None:
        await self.paygate.sandbox.create_bank_rule(LOSE)
        self.rules += 1
        payment = await self._authorized()
        assert await self._captured(payment) is ActionStatus.SUCCEEDED
        refund = await self.paygate.refund(payment, POUND, reference=self.made.sandbox.name)
        assert refund.action.status is ActionStatus.PENDING
        await self.paygate.sandbox.drain(DRAIN)
        await self._became(payment, PaymentStatus.REFUNDED)

    async def _expiry(self) -> None:
        began = time.monotonic()
        payment = await self._authorized()
        await self.paygate.sandbox.advance(WEEK)
        self.ahead += WEEK
        await self.paygate.sandbox.drain(DRAIN)
        await self._became(payment, PaymentStatus.EXPIRED)
        self.seconds.append(time.monotonic() - began)

    async def _outage(self) -> None:
        payment = await self._authorized()
        rule = await self.paygate.sandbox.create_bank_rule(AWAY)
        assert await self._captured(payment) is ActionStatus.PENDING
        await self.paygate.sandbox.delete_bank_rule(rule)
        await self.paygate.sandbox.drain(DRAIN)
        await self._became(payment, PaymentStatus.CAPTURED)

    async def _captured(self, payment: Payment) -> ActionStatus:
        reference = self.made.sandbox.name
        return (await self.paygate.capture(payment, POUND, reference=reference)).action.status
