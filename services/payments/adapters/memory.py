"""The store in memory, for tests of what stands above it. Held to the same contract suite."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pkg.grpc.lists import ListPosition, Page
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.card import Expiry, Removal
from services.payments.domain.event import Event
from services.payments.domain.outcome import Resolution
from services.payments.domain.payment import Payment
from services.payments.domain.status import Status
from services.payments.domain.views import ActionView, PaymentView, action_view_of, view_of
from services.payments.ports import (
    ActionPlace,
    Change,
    CommitResult,
    IdempotencyRecord,
    InDoubt,
    Loaded,
    PaymentFilter,
    SealedCard,
)


def _real_time() -> datetime:
    return datetime.now(UTC)


@dataclass
class _Key:
    record: IdempotencyRecord
    create_time: datetime


@dataclass
class KeptCard:
    """A card, what ends it, and the payment that brought it."""

    sealed: SealedCard
    payment_id: str
    expiry: Expiry
    use_time: datetime


@dataclass
class MemoryStore:
    """Payments in dictionaries. Nothing awaits between reading and writing: that is its lock."""

    lease: timedelta = timedelta(seconds=10)
    payments: dict[tuple[str, str], Payment] = field(default_factory=dict)
    actions: dict[tuple[str, str], Action] = field(default_factory=dict)
    due: dict[tuple[str, str], datetime] = field(default_factory=dict)
    keys: dict[tuple[str, str, str], _Key] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    cards: dict[tuple[str, str], KeptCard] = field(default_factory=dict)
    removed_cards: dict[tuple[str, str], Removal] = field(default_factory=dict)
    resolutions: dict[tuple[str, str], Resolution] = field(default_factory=dict)
    now: Callable[[], datetime] = _real_time

    async def load(self, merchant_id: str, payment_id: str, *, rpc: str, key: str | None) -> Loaded:
        """Return the payment and the record of the idempotency key."""
        held = self.keys.get((merchant_id, rpc, key)) if key else None
        record = held.record if held else None
        return Loaded(self.payments.get((merchant_id, payment_id)), record)

    async def load_action(self, merchant_id: str, action_id: str) -> InDoubt | None:
        """Return an action with what is needed to settle it."""
        action = self.actions.get((merchant_id, action_id))
        if action is None:
            return None
        payment = self.payments[merchant_id, action.payment_id]
        held = self.keys.get((merchant_id, action.type, action.idempotency_key or ""))
        reply = held.record.reply if held and held.record.action_id == action_id else None
        authorization = self.actions[merchant_id, payment.authorization_id]
        resolution = self.resolutions.get((merchant_id, action_id))
        return InDoubt(payment, action, authorization, reply, resolution)

    async def commit(self, change: Change) -> CommitResult:
        """Store a change, if the payment is still what it was decided on and the key is free."""
        payment, first = change.payment, change.actions[0]
        place = (payment.merchant_id, payment.id)
        stored = self.payments.get(place)
        if payment.version != (stored.version + 1 if stored else 1) or self._has_ended(change):
            return CommitResult.CONFLICT
        key = (payment.merchant_id, first.type.value, first.idempotency_key or "")
        if change.fingerprint is not None:
            if key in self.keys:
                return CommitResult.KEY_HELD
            record = IdempotencyRecord(change.fingerprint, first.id, None)
            self.keys[key] = _Key(record, payment.update_time)
        self.payments[place] = payment
        for action in change.actions:
            self._put(payment.merchant_id, action)
        held = self.keys.get(key)
        if change.reply is not None and held and held.record.action_id == first.id:
            held.record = IdempotencyRecord(held.record.fingerprint, first.id, change.reply)
        if change.event:
            self.events.append(change.event)
        if change.card:
            kept = KeptCard(change.card, payment.id, payment.card.expiry, payment.create_time)
            self.cards[payment.merchant_id, change.card.token] = kept
        self._drop_card_of(payment)
        return CommitResult.COMMITTED

    async def commit_row(self, changes: Sequence[Change]) -> CommitResult:
        """Store changes of one payment, each decided on the one before: all of them, or none."""
        first = changes[0].payment
        stored = self.payments.get((first.merchant_id, first.id))
        if stored is None or first.version != stored.version + 1:
            return CommitResult.CONFLICT
        keys = [
            (first.merchant_id, change.actions[0].type.value, change.actions[0].idempotency_key)
            for change in changes
            if change.fingerprint is not None
        ]
        are_held = len(set(keys)) < len(keys) or any(key in self.keys for key in keys)
        if are_held or any(map(self._has_ended, changes)):
            return CommitResult.KEY_HELD
        for change in changes:
            assert await self.commit(change) is CommitResult.COMMITTED
        return CommitResult.COMMITTED

    def _drop_card_of(self, payment: Payment) -> None:
        place = (payment.merchant_id, payment.card.token)
        if payment.status not in {Status.DECLINED, Status.FAILED} or place not in self.cards:
            return
        if self.cards[place].payment_id == payment.id:
            self._drop_card(place, Removal.DECLINED)

    def _drop_card(self, place: tuple[str, str], cause: Removal) -> None:
        del self.cards[place]
        self.removed_cards[place] = cause

    async def remove(self, merchant_id: str, token: str, *, now: datetime) -> bool:  # noqa: ARG002
        """Remove a card; return whether the merchant has or had one of that token."""
        place = (merchant_id, token)
        if place in self.cards:
            self._drop_card(place, Removal.DELETED)
        return place in self.removed_cards

    async def purge(
        self, *, now: datetime, unused_since: datetime, limit: int, merchant_id: str | None = None
    ) -> int:
        """Remove cards that have expired or were last used before; return how many."""
        old = {
            place: Removal.EXPIRED if kept.expiry.is_past(now) else Removal.UNUSED
            for place, kept in self.cards.items()
            if merchant_id in {None, place[0]}
            and (kept.expiry.is_past(now) or kept.use_time < unused_since)
        }
        for place, cause in list(old.items())[:limit]:
            self._drop_card(place, cause)
        return min(len(old), limit)

    def _has_ended(self, change: Change) -> bool:
        stored = (self.actions.get((change.payment.merchant_id, a.id)) for a in change.actions)
        return any(a is not None and a.status is not ActionStatus.PENDING for a in stored)

    def _put(self, merchant_id: str, action: Action) -> None:
        self.actions[merchant_id, action.id] = action
        if action.status is ActionStatus.PENDING:
            self.due[merchant_id, action.id] = _real_time() + self.lease
        else:
            self.due.pop((merchant_id, action.id), None)

    async def ensure_kept(self, merchant_id: str) -> None:
        """Return: what is read here is kept as well as all else."""

    async def leave_pending(self, payment: Payment, action: Action, reply: bytes) -> None:
        """Store a reply that says PENDING, and hand the action to recovery at once."""
        merchant_id = payment.merchant_id
        if (merchant_id, action.id) not in self.due:
            return
        self.due[merchant_id, action.id] = _real_time()
        held = self.keys.get((merchant_id, action.type, action.idempotency_key or ""))
        if held and held.record.action_id == action.id and held.record.reply is None:
            held.record = IdempotencyRecord(held.record.fingerprint, action.id, reply)

    async def take_due(
        self, types: Collection[ActionType], *, limit: int, lease: timedelta
    ) -> Sequence[ActionPlace]:
        """Lease PENDING actions of these types that are due, the longest due first."""
        now = _real_time()
        ready = sorted(
            (time, place)
            for place, time in self.due.items()
            if time <= now and self.actions[place].type in types
        )[:limit]
        for _, place in ready:
            self.due[place] = now + lease
        return [place for _, place in ready]

    async def postpone(self, actions: Collection[ActionPlace], *, by: timedelta) -> None:
        """Make those of these actions that are PENDING due again after that time."""
        for place in actions:
            if place in self.due:
                self.due[place] = _real_time() + by

    async def list_expirable(self, *, limit: int) -> Sequence[tuple[str, str]]:
        """Return payments to expire: (merchant id, payment id), the longest due first."""
        due = [
            payment
            for payment in self.payments.values()
            if payment.expire(action_id="", now=self.now()) is not None
        ]
        due.sort(key=lambda payment: payment.expire_time)
        return [(payment.merchant_id, payment.id) for payment in due[:limit]]

    async def read_clock(self, _merchant_id: str) -> bool:
        """Nothing turns the clock behind our back."""
        return False

    async def remove_keys(
        self, *, before: datetime, limit: int, merchant_id: str | None = None
    ) -> int:
        """Remove idempotency keys of ended actions that were claimed before that time."""
        old = [
            place
            for place, key in sorted(self.keys.items(), key=lambda item: item[1].create_time)
            if key.create_time < before
            and merchant_id in {None, place[0]}
            and (place[0], key.record.action_id) not in self.due
        ][:limit]
        for place in old:
            del self.keys[place]
        return len(old)

    async def get_payment(self, merchant_id: str, payment_id: str) -> PaymentView | None:
        """Return a payment; None if there is no such payment."""
        payment = self.payments.get((merchant_id, payment_id))
        return None if payment is None else view_of(payment)

    async def get_payment_with_actions(
        self, merchant_id: str, payment_id: str, *, limit: int
    ) -> tuple[PaymentView, Sequence[ActionView]] | None:
        """Return a payment and its newest actions, oldest first."""
        payment = self.payments.get((merchant_id, payment_id))
        after = max(payment.last_sequence - limit, 0) if payment else 0
        actions = await self.list_actions(
            merchant_id, payment_id, after_sequence=after, limit=limit
        )
        return (view_of(payment), actions) if payment and actions else None

    async def list_actions(
        self, merchant_id: str, payment_id: str, *, after_sequence: int, limit: int
    ) -> Sequence[ActionView] | None:
        """Return a payment's actions, oldest first; None if there is no such payment."""
        if (merchant_id, payment_id) not in self.payments:
            return None if after_sequence == 0 else []
        found = [
            action
            for (merchant, _), action in self.actions.items()
            if merchant == merchant_id
            and action.payment_id == payment_id
            and action.sequence > after_sequence
        ]
        found.sort(key=lambda action: action.sequence)
        return [action_view_of(action) for action in found[:limit]]

    async def list_payments(
        self, merchant_id: str, wanted: PaymentFilter, *, place: ListPosition | None, size: int
    ) -> Page[PaymentView]:
        """Return payments that were committed before that place, the last ones first."""
        found = self._listed(merchant_id, wanted)
        before = [one for one in found if place is None or one[0] < place]
        return _page(before[::-1], size)

    async def follow_payments(
        self, merchant_id: str, wanted: PaymentFilter, *, place: ListPosition | None, size: int
    ) -> Page[PaymentView]:
        """Return payments that were committed after that place, the first ones first."""
        found = self._listed(merchant_id, wanted)
        return _page([one for one in found if place is None or one[0] > place], size)

    def _listed(
        self, merchant_id: str, wanted: PaymentFilter
    ) -> list[tuple[ListPosition, Payment]]:
        """Return payments with their places, in the order of commits: as they came in."""
        after, before = wanted.made.bounds
        return [
            (ListPosition(number, payment.id), payment)
            for number, ((merchant, _), payment) in enumerate(self.payments.items())
            if merchant == merchant_id
            and (wanted.status is None or payment.status is wanted.status)
            and (not wanted.reference or payment.reference == wanted.reference)
            and after <= payment.create_time < before
        ]


def _page(found: Sequence[tuple[ListPosition, Payment]], size: int) -> Page[PaymentView]:
    page = found[:size]
    place = page[-1][0] if page else None
    return Page([view_of(payment) for _, payment in page], place, len(found) > size)
