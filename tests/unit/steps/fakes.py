"""A gateway on fakes: a bank that answers as it is told, a store in memory, a clock of ours."""

from dataclasses import dataclass, field
from datetime import datetime

from paygate.payments.v1 import payment_service_pb2 as service
from pkg.errors import DependencyUnavailableError
from pkg.secret import Secret
from services.payments.adapters.hashing import HmacHasher
from services.payments.adapters.memory import MemoryStore
from services.payments.adapters.vault.memory import MemoryVault
from services.payments.api.codec import ProtoReplies
from services.payments.domain.action import Action
from services.payments.domain.event import NOBODY, Origin
from services.payments.domain.outcome import (
    Answer,
    DeclineCode,
    Declined,
    NotFound,
    Reversed,
    Unknown,
)
from services.payments.domain.payment import Payment
from services.payments.ports import CardDetails, Limits, Ports
from services.payments.use_cases.authorize import Authorize, authorize
from services.payments.use_cases.capture import Capture
from services.payments.use_cases.sweep import Sweep
from services.payments.use_cases.two_commits import Reply
from services.payments.use_cases.void import Void
from tests.builders import DETAILS, HASH_KEY, MERCHANT, TurnedClock, gbp

NO = Declined(DeclineCode.INSUFFICIENT_FUNDS)


@dataclass
class FakeBank:
    """Answers as it is told, and remembers what it was asked."""

    answers: list[Answer] = field(default_factory=list)
    inquiries: list[Answer | NotFound] = field(default_factory=list)
    releases: list[Reversed | Unknown] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    cards: list[CardDetails] = field(default_factory=list)
    is_away: bool = False

    def ensure_reachable(self) -> None:
        """Raise if it is known to be away."""
        if self.is_away:
            raise DependencyUnavailableError

    async def authorize(self, payment: Payment, card: CardDetails) -> Answer:
        """Answer the next answer."""
        self.asked.append("authorize")
        self.cards.append(card)
        return self.answers.pop(0)

    async def perform(self, payment: Payment, action: Action, now: datetime) -> Answer:
        """Answer the next answer."""
        self.asked.append(action.type.lower())
        return self.answers.pop(0)

    async def reverse(self, payment: Payment, now: datetime) -> Reversed | Unknown:
        """Answer the next release's answer."""
        self.asked.append("reverse")
        return self.releases.pop(0)

    async def inquire(self, payment: Payment, action: Action, now: datetime) -> Answer | NotFound:
        """Answer the next inquiry's answer."""
        self.asked.append("inquire")
        return self.inquiries.pop(0)


@dataclass
class Fixture:
    """A gateway on fakes."""

    store: MemoryStore = field(default_factory=MemoryStore)
    bank: FakeBank = field(default_factory=FakeBank)
    clock: TurnedClock = field(default_factory=TurnedClock)
    vault: MemoryVault = field(init=False)
    origin: Origin = NOBODY

    def __post_init__(self) -> None:
        self.vault = MemoryVault(self.store)

    @property
    def ports(self) -> Ports:
        """The ports."""
        return Ports(
            store=self.store,
            acquirer=self.bank,
            vault=self.vault,
            cards=self.store,
            clock=self.clock,
            hasher=HmacHasher(Secret(HASH_KEY)),
            replies=ProtoReplies(),
            limits=Limits(conflict_retry_seconds=0.05),
            origin=lambda: self.origin,
        )

    async def authorize(
        self, key: str | None = "a", amount: int = 1000, card: CardDetails | str = DETAILS
    ) -> Reply:
        """Authorize £10."""
        command = Authorize(
            merchant_id=MERCHANT,
            card=card,
            amount=gbp(amount),
            reference="",
            idempotency_key=key,
        )
        return await authorize(self.ports, command)

    async def sweep(self) -> None:
        """Sweep once; the clock of the store is ours."""
        self.store.now = self.clock.now
        await Sweep(self.ports, interval_seconds=1).run_once()

    async def recover(self) -> None:
        """Run recovery on everything that is PENDING, whatever its lease."""
        for place in self.store.due:
            self.store.due[place] = self.store.due[place].replace(year=2000)
        await Sweep(self.ports, interval_seconds=1).recover()


def authorized(reply: Reply) -> service.AuthorizeResponse:
    """Read a reply."""
    return service.AuthorizeResponse.FromString(reply.body)


def capture_of(payment_id: str) -> Capture:
    """Capture £4."""
    return Capture(
        merchant_id=MERCHANT,
        payment_id=payment_id,
        amount=gbp(400),
        final=False,
        reference="",
        idempotency_key="c",
    )


def void_of(payment_id: str) -> Void:
    """Void it."""
    return Void(
        merchant_id=MERCHANT,
        payment_id=payment_id,
        remainder=False,
        reference="",
        idempotency_key="v",
    )
