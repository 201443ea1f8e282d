"""What the use cases need of the world, in the domain's words."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Protocol

from pkg.grpc.lists import ANY_TIME, ListPosition, Page, Period
from pkg.values import value
from services.payments.domain.action import Action, ActionType
from services.payments.domain.card import Cvv, Expiry, Pan, Removal
from services.payments.domain.event import Event, Origin
from services.payments.domain.outcome import Answer, NotFound, Resolution, Reversed, Unknown
from services.payments.domain.payment import Payment
from services.payments.domain.status import Status
from services.payments.domain.views import ActionView, PaymentView
from services.payments.messages import Replies
from services.payments.recent_keys import RecentKeys
from services.payments.turns import Turns
from services.payments.visits import NoVisits, Visits


@value(frozen=True, slots=True, kw_only=True)
class SealedCard:
    """What is stored of a card: encrypted, under the data key of that id."""

    token: str
    data_key_id: str
    ciphertext: bytes


@value(frozen=True, slots=True, kw_only=True)
class Change:
    """One step of one payment: stored whole, or not at all.

    `payment.version` is the version that the payment gets; it must be one less in the store.
    `actions[0]` is the action that the change is about; `fingerprint` claims its idempotency key
    for a request that has just begun, `reply` is stored under that key when it has ended. `card` is
    new to the vault and is stored with its authorization.
    """

    payment: Payment
    actions: tuple[Action, ...]
    event: Event | None = None
    fingerprint: bytes | None = None
    reply: bytes | None = None
    card: SealedCard | None = None


class CommitResult(Enum):
    """What became of a change."""

    COMMITTED = auto()
    CONFLICT = auto()  # somebody else changed the payment first: load and decide again
    KEY_HELD = auto()  # another request holds the idempotency key


@value(frozen=True, slots=True)
class IdempotencyRecord:
    """An idempotency key that is held. `reply` is None while its request is running."""

    fingerprint: bytes
    action_id: str
    reply: bytes | None


@value(frozen=True, slots=True)
class Loaded:
    """A payment and an idempotency record, as they were at one instant."""

    payment: Payment | None
    record: IdempotencyRecord | None


@value(frozen=True, slots=True)
class InDoubt:
    """An action, its payment and the payment's authorization, as they were at one instant.

    `resolution` is what the operator says became of the action.
    """

    payment: Payment
    action: Action
    authorization: Action
    reply: bytes | None
    resolution: Resolution | None = None


@value(frozen=True, slots=True, kw_only=True)
class PaymentFilter:
    """Which payments to list; None and the empty text mean any."""

    status: Status | None = None
    reference: str = ""
    made: Period = ANY_TIME


ActionPlace = tuple[str, str]  # merchant id, action id


class Store(Protocol):
    """Where payments live.

    Every method may raise DependencyUnavailableError; what it was to store may be stored then.
    """

    async def load(self, merchant_id: str, payment_id: str, *, rpc: str, key: str | None) -> Loaded:
        """Return the payment and the record of the idempotency key, from one snapshot."""

    async def load_action(self, merchant_id: str, action_id: str) -> InDoubt | None:
        """Return an action with what is needed to settle it, from one snapshot."""

    async def commit(self, change: Change) -> CommitResult:
        """Store a change, if the payment is still what it was decided on and the key is free."""

    async def commit_row(self, changes: Sequence[Change]) -> CommitResult:
        """Store changes of one payment, each decided on the one before: all of them, or none.

        They are operations that begin, or operations that have ended. KEY_HELD: one of them stands
        in the way, whose key is held or which has ended; they are to be stored one by one.
        """

    async def ensure_kept(self, merchant_id: str) -> None:
        """Return when what was read of a merchant is kept: ask before a client is told it."""

    async def leave_pending(self, payment: Payment, action: Action, reply: bytes) -> None:
        """Store a reply that says PENDING, and hand the action to recovery at once."""

    async def take_due(
        self, types: Collection[ActionType], *, limit: int, lease: timedelta
    ) -> Sequence[ActionPlace]:
        """Lease PENDING actions of these types that are due, the longest due first."""

    async def postpone(self, actions: Collection[ActionPlace], *, by: timedelta) -> None:
        """Make those of these actions that are PENDING due again after that time."""

    async def list_expirable(self, *, limit: int) -> Sequence[tuple[str, str]]:
        """Return payments to expire: (merchant id, payment id), the longest due first."""

    async def read_clock(self, merchant_id: str) -> bool:
        """Read a merchant's clock, as every load does; return whether it had been turned."""

    async def remove_keys(
        self, *, before: datetime, limit: int, merchant_id: str | None = None
    ) -> int:
        """Remove old idempotency keys of ended actions: anybody's, or one merchant's."""


class Reader(Protocol):
    """Where payments are looked at. Every method may raise DependencyUnavailableError."""

    async def get_payment(self, merchant_id: str, payment_id: str) -> PaymentView | None:
        """Return a payment; None if there is no such payment."""

    async def get_payment_with_actions(
        self, merchant_id: str, payment_id: str, *, limit: int
    ) -> tuple[PaymentView, Sequence[ActionView]] | None:
        """Return a payment and its newest actions, oldest first, as they were at one instant."""

    async def list_actions(
        self, merchant_id: str, payment_id: str, *, after_sequence: int, limit: int
    ) -> Sequence[ActionView] | None:
        """Return a payment's actions, oldest first; None if there is no such payment."""

    async def list_payments(
        self, merchant_id: str, wanted: PaymentFilter, *, place: ListPosition | None, size: int
    ) -> Page[PaymentView]:
        """Return payments that were committed before that place, the last ones first."""

    async def follow_payments(
        self, merchant_id: str, wanted: PaymentFilter, *, place: ListPosition | None, size: int
    ) -> Page[PaymentView]:
        """Return payments that were committed after that place, the first ones first.

        None appears later before one of them. The filter names no status: it changes.
        """


@value(frozen=True, slots=True)
class CardDetails:
    """What the bank needs to charge a card. Nothing in it can print itself.

    A card from the vault has no CVV: that is never stored.
    """

    pan: Pan
    expiry: Expiry
    cvv: Cvv | None


class Cards(Protocol):
    """Which cards are kept. Every method may raise DependencyUnavailableError."""

    async def remove(self, merchant_id: str, token: str, *, now: datetime) -> bool:
        """Remove a card; return whether the merchant has or had one of that token."""

    async def purge(
        self, *, now: datetime, unused_since: datetime, limit: int, merchant_id: str | None = None
    ) -> int:
        """Remove anybody's or one merchant's that are past that; return how many."""


class Vault(Protocol):
    """Where card numbers live, encrypted. Every method may raise DependencyUnavailableError."""

    async def seal(self, merchant_id: str, pan: Pan, expiry: Expiry, now: datetime) -> SealedCard:
        """Encrypt a card for one merchant, under a fresh token; storing it is the commit's part."""

    async def open(self, merchant_id: str, token: str) -> CardDetails | Removal | None:
        """Return the merchant's card of that token, or why it is gone; None if there was none."""


class Acquirer(Protocol):
    """The customer's bank. No method raises for want of an answer: that is `Unknown`.

    The bank knows an action by its id; the same one again has no second effect. An answer that
    makes no sense for what was asked is `Unknown` too. `Rejected` is about this request only: an
    earlier one for the same action may have been carried out, so inquire before it is believed.
    `now` is the time by the merchant's clock.
    """

    def ensure_reachable(self) -> None:
        """Return unless the bank is known to be away: nothing is begun that would need it.

        Raises:
            DependencyUnavailableError: It is.
        """

    async def authorize(self, payment: Payment, card: CardDetails) -> Answer:
        """Ask to reserve the amount of a payment that begins."""

    async def perform(self, payment: Payment, action: Action, now: datetime) -> Answer:
        """Carry out a capture, void or refund of a payment."""

    async def reverse(self, payment: Payment, now: datetime) -> Reversed | Unknown:
        """Release what an authorization still holds, whatever became of it."""

    async def inquire(self, payment: Payment, action: Action, now: datetime) -> Answer | NotFound:
        """Ask what became of an authorization, capture, void or refund."""


NOBODYS = ""  # the merchant whose clock tells the real time


class Clock(Protocol):
    """The time by which a merchant's payments expire and its keys age; tests turn it."""

    def now(self, merchant_id: str) -> datetime:
        """Return the time, aware, in UTC."""


class Hasher(Protocol):
    """Keyed hashes: without the key nothing can be guessed from them."""

    def request(self, merchant_id: str, rpc: str, fields: Sequence[str | int | bool]) -> bytes:
        """Return the fingerprint of a request."""

    def card(self, merchant_id: str, pan: Pan) -> bytes:
        """Return the fingerprint of a card's number; differs between merchants."""


@value(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long things last."""

    authorization_lifetime: timedelta = timedelta(days=7)
    key_lifetime: timedelta = timedelta(hours=24)
    card_retention: timedelta = timedelta(days=400)
    conflict_retry_seconds: float = 2.0


def _unlimited(_merchant_id: str, _key_id: str, _fingerprint: bytes) -> Callable[[], None]:
    return lambda: None


@value(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports, together: what every use case is given.

    `attempt` counts an authorization of a merchant's key on a card as one that was declined, and
    returns what takes that back; it refuses where too many were.
    `origin` tells for whose request the code runs that asks it.
    """

    store: Store
    acquirer: Acquirer
    vault: Vault
    cards: Cards
    clock: Clock
    hasher: Hasher
    replies: Replies
    limits: Limits = Limits()
    visits: Visits = NoVisits()
    turns: Turns = field(default_factory=Turns)
    keys: RecentKeys = field(default_factory=RecentKeys)
    attempt: Callable[[str, str, bytes], Callable[[], None]] = _unlimited
    origin: Callable[[], Origin] = Origin
