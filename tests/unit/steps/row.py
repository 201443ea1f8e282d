"""A payment that many want at once, and a gateway on fakes that are as slow as a database."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from paygate.payments.v1 import payment_service_pb2 as service
from services.payments.adapters.memory import MemoryStore
from services.payments.domain.action import Action
from services.payments.domain.money import Money
from services.payments.domain.outcome import Answer, Approved
from services.payments.domain.payment import Payment
from services.payments.ports import Change, CommitResult, Limits, Ports
from services.payments.use_cases.capture import Capture
from services.payments.use_cases.carry_out import carry_out
from services.payments.use_cases.refund import Refund
from services.payments.use_cases.two_commits import (
    Reply,
)
from tests.builders import MERCHANT, begun, gbp, settled
from tests.unit.steps.fakes import FakeBank, Fixture


@dataclass
class Slow(MemoryStore):
    """Takes a pass of the loop for each commit, as a database does, and counts them."""

    commits: int = 0
    rows: list[int] = field(default_factory=list)
    interfere: int = 0

    async def commit(self, change: Change) -> CommitResult:
        """Commit a while later."""
        self.commits += 1
        await asyncio.sleep(0.001)
        return await super().commit(change)

    async def commit_row(self, changes: Sequence[Change]) -> CommitResult:
        """Commit a while later; somebody else may be faster once."""
        self.rows.append(len(changes))
        await asyncio.sleep(0.001)
        if self.interfere:
            place = (MERCHANT, changes[0].payment.id)
            now = self.payments[place]
            captured = now.captured + gbp(self.interfere)
            self.payments[place] = replace(now, captured=captured, version=now.version + 1)
            self.interfere = 0
        commits = self.commits
        result = await super().commit_row(changes)
        self.commits = commits + 1
        return result


class Answering(FakeBank):
    """Answers every capture the same."""

    answer: Answer = Approved()

    async def perform(self, payment: Payment, action: Action, now: datetime) -> Answer:
        """Answer at once."""
        return self.answer


@dataclass
class Place:
    """A payment of £10, and a gateway on fakes that are as slow as a database."""

    fixture: Fixture = field(default_factory=lambda: Fixture(store=Slow(), bank=Answering()))

    def __post_init__(self) -> None:
        """Store the payment."""
        self.payment, authorization = settled(begun())
        self.store.payments[MERCHANT, self.payment.id] = self.payment
        self.store.actions[MERCHANT, authorization.id] = authorization
        limits = Limits(conflict_retry_seconds=2.0)
        self.ports: Ports = replace(self.fixture.ports, limits=limits)

    @property
    def store(self) -> Slow:
        """The store."""
        assert isinstance(self.fixture.store, Slow)
        return self.fixture.store

    def capture(self, amount: int, key: str | None = None) -> Capture:
        """Capture so much."""
        return Capture(
            merchant_id=MERCHANT,
            payment_id=self.payment.id,
            amount=gbp(amount),
            final=False,
            reference="",
            idempotency_key=key,
        )

    async def at_once(self, *operations: Capture | Refund) -> list[Reply | BaseException]:
        """Carry them out at once."""
        calls = (carry_out(self.ports, operation) for operation in operations)
        return await asyncio.gather(*calls, return_exceptions=True)

    @property
    def captured(self) -> Money:
        """What is captured now, with nothing on its way."""
        payment = self.store.payments[MERCHANT, self.payment.id]
        assert not payment.capturing
        return payment.captured


def told(reply: Reply | BaseException) -> service.CaptureResponse:
    """Read a reply."""
    assert isinstance(reply, Reply), reply
    return service.CaptureResponse.FromString(reply.body)
