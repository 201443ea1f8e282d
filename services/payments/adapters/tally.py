"""What is counted: of the store, and of the bank and the vault, each with a stopwatch around it."""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar

from pkg.observe.metrics import Histogram, Metrics
from services.payments.adapters.vault.keys import KeyVersion, KeyWrapper
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.card import Expiry, Pan, Removal
from services.payments.domain.hold import Hold
from services.payments.domain.outcome import (
    Answer,
    Approved,
    Declined,
    NotFound,
    Rejected,
    Reversed,
    Unknown,
)
from services.payments.domain.payment import Payment
from services.payments.ports import Acquirer, CardDetails, Change, SealedCard, Vault

T = TypeVar("T")

AUTHORIZE, REVERSE, INQUIRE = "authorize", "reverse", "inquire"
_OUTCOMES = {
    Approved: "approved",
    Declined: "declined",
    Rejected: "rejected",
    Unknown: "unknown",
    NotFound: "not_found",
    Reversed: "reversed",
}
_OPERATIONS = {
    kind: kind.lower() for kind in (ActionType.CAPTURE, ActionType.VOID, ActionType.REFUND)
}
_SIZES = (1, 2, 4, 8, 16, 32, 64)
_ENDS = {
    ActionStatus.SUCCEEDED: "approved",
    ActionStatus.DECLINED: "declined",
    ActionStatus.FAILED: "failed",
}
_MOVES_MONEY = {
    kind: kind.lower() for kind in (ActionType.AUTHORIZE, ActionType.CAPTURE, ActionType.REFUND)
}


class GroupTally:
    """How large groups of one kind were, and how long their statements took."""

    def __init__(self, size: Histogram, seconds: Histogram) -> None:
        self._size = size
        self._seconds = seconds

    def done(self, size: int, seconds: float) -> None:
        """Count a group."""
        self._size.observe(size)
        self._seconds.observe(seconds)


class StoreTally:
    """Counts what a store does; given to it where it is made."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        size = metrics.histogram(
            "paygate_group_size",
            "How many changes (commits; of a row, each) or loads went together in one statement.",
            ("group",),
            bounds=_SIZES,
        )
        seconds = metrics.histogram(
            "paygate_group_seconds", "How long that statement took.", ("group",)
        )
        self.commits = GroupTally(size.of("commits"), seconds.of("commits"))
        self.loads = GroupTally(size.of("loads"), seconds.of("loads"))
        self._authorizations = metrics.counter(
            "paygate_authorizations_total",
            "Authorizations by what came of them. One that a client was told is pending is counted"
            " again when it has ended.",
            ("outcome", "decline_code", "brand"),
        )
        self._money = metrics.counter(
            "paygate_money_minor_units_total",
            "The sum of what was authorized, captured and refunded, in the currency's minor unit.",
            ("operation", "currency"),
        )
        self._expiries = metrics.counter(
            "paygate_expiries_total",
            "Expiries that began (begun), and that ended without a capture (expired) or with one,"
            " whose rest was released (released).",
            ("outcome",),
        )
        for outcome in ("begun", "expired", "released"):
            self._expiries.of(outcome)

    def show_waiting(self, waiting: Callable[[], Mapping[str, int]]) -> None:
        """Show how much waits for its group, by the kind of group."""
        self._metrics.reading(
            "paygate_group_waiting",
            "How many changes and loads wait for their turn.",
            ("group",),
            lambda: [((group,), count) for group, count in waiting().items()],
        )

    def committed(self, change: Change) -> None:
        """Count what a change means that was stored."""
        action = change.actions[0]
        if action.type is ActionType.EXPIRE:
            self._expiries.of(self._expiry(change)).inc()
        if action.status is ActionStatus.PENDING:
            return
        if action.type is ActionType.AUTHORIZE:
            code = action.decline or ""
            brand = change.payment.card.brand
            self._authorizations.of(_ENDS[action.status], code, brand).inc()
        operation = _MOVES_MONEY.get(action.type)
        if operation and action.status is ActionStatus.SUCCEEDED:
            self._money.of(operation, action.amount.currency).inc(action.amount.minor_units)

    def left_pending(self, payment: Payment, action: Action) -> None:
        """Count an authorization whose reply says PENDING."""
        if action.type is ActionType.AUTHORIZE:
            self._authorizations.of("pending", "", payment.card.brand).inc()

    @staticmethod
    def _expiry(change: Change) -> str:
        if change.actions[0].status is ActionStatus.PENDING:
            return "begun"
        return "expired" if change.payment.hold is Hold.EXPIRED else "released"


class MeteredAcquirer:
    """A bank; see `ports.Acquirer`."""

    def __init__(self, bank: Acquirer, metrics: Metrics) -> None:
        self._bank = bank
        requests = metrics.counter(
            "paygate_acquirer_requests_total",
            "Calls to the bank, by what came of them; unknown is what nobody can tell, such as a"
            " call without an answer.",
            ("operation", "outcome"),
        )
        seconds = metrics.histogram(
            "paygate_acquirer_request_seconds", "How long the bank took to answer.", ("operation",)
        )
        operations = {AUTHORIZE, *_OPERATIONS.values(), REVERSE, INQUIRE}
        self._requests = {
            (operation, kind): requests.of(operation, outcome)
            for operation in operations
            for kind, outcome in _OUTCOMES.items()
        }
        self._seconds = {operation: seconds.of(operation) for operation in operations}

    def ensure_reachable(self) -> None:
        """Return unless the bank is known to be away."""
        self._bank.ensure_reachable()

    async def authorize(self, payment: Payment, card: CardDetails) -> Answer:
        """Ask to reserve an amount."""
        return await self._timed(AUTHORIZE, self._bank.authorize(payment, card))

    async def perform(self, payment: Payment, action: Action, now: datetime) -> Answer:
        """Carry out a capture, void or refund on an authorization's reference."""
        call = self._bank.perform(payment, action, now)
        return await self._timed(_OPERATIONS[action.type], call)

    async def reverse(self, payment: Payment, now: datetime) -> Reversed | Unknown:
        """Release what an authorization still holds, whatever became of it."""
        return await self._timed(REVERSE, self._bank.reverse(payment, now))

    async def inquire(self, payment: Payment, action: Action, now: datetime) -> Answer | NotFound:
        """Ask what became of an authorization, capture, void or refund."""
        return await self._timed(INQUIRE, self._bank.inquire(payment, action, now))

    async def _timed(self, operation: str, call: Awaitable[T]) -> T:
        began = time.perf_counter()
        answer = await call
        self._seconds[operation].observe(time.perf_counter() - began)
        self._requests[operation, type(answer)].value += 1
        return answer


class VaultMeter:
    """How long operations of the vault take, those that failed included."""

    def __init__(self, metrics: Metrics) -> None:
        self._seconds = metrics.histogram(
            "paygate_vault_seconds",
            "How long it took to encrypt a card (seal) or to read one (open), and what these may"
            " wait for: a new data key (wrap), or one to be opened (unwrap, rewrap, rotate).",
            ("operation",),
        )

    async def timed(self, operation: str, work: Awaitable[T]) -> T:
        """Do some work and note how long it took."""
        began = time.perf_counter()
        try:
            return await work
        finally:
            self._seconds.of(operation).observe(time.perf_counter() - began)


class MeteredVault:
    """A vault; see `ports.Vault`."""

    def __init__(self, vault: Vault, meter: VaultMeter) -> None:
        self._vault = vault
        self._meter = meter

    async def seal(self, merchant_id: str, pan: Pan, expiry: Expiry, now: datetime) -> SealedCard:
        """Encrypt a card for one merchant, under a fresh token."""
        return await self._meter.timed("seal", self._vault.seal(merchant_id, pan, expiry, now))

    async def open(self, merchant_id: str, token: str) -> CardDetails | Removal | None:
        """Return the merchant's card of that token, or why it is gone; None if there was none."""
        return await self._meter.timed("open", self._vault.open(merchant_id, token))


class MeteredWrapper:
    """Who wraps data keys; see `vault.keys.KeyWrapper`."""

    def __init__(self, wrapper: KeyWrapper, meter: VaultMeter) -> None:
        self._wrapper = wrapper
        self._meter = meter

    async def make(self, merchant_id: str) -> tuple[bytes, str]:
        """Return a fresh key of 256 bits, and the same wrapped for that merchant."""
        return await self._meter.timed("wrap", self._wrapper.make(merchant_id))

    async def unwrap(self, merchant_id: str, wrapped: str) -> bytes:
        """Return the key."""
        return await self._meter.timed("unwrap", self._wrapper.unwrap(merchant_id, wrapped))

    async def rewrap(self, keys: list[tuple[str, str]]) -> list[str]:
        """Return keys, given as (merchant id, wrapped), wrapped by the newest version."""
        return await self._meter.timed("rewrap", self._wrapper.rewrap(keys))

    async def rotate(self) -> KeyVersion:
        """Make a new version, which wraps from now on."""
        return await self._meter.timed("rotate", self._wrapper.rotate())

    async def newest(self) -> KeyVersion:
        """Return the newest version."""
        return await self._wrapper.newest()

    async def refuse_older(self, version: int) -> None:
        """Refuse to unwrap what versions before this one have wrapped."""
        await self._wrapper.refuse_older(version)
