"""A payment and what can be done to it.

Every verb takes the time as an argument and returns the next payment together with the action, or
raises the refusal that the guard ladder names first. A capture is decided in `Payment.capture`.
"""

from datetime import datetime
from typing import assert_never

from pkg.errors import ValidationFailedError
from pkg.values import changed, value
from services.payments.domain import errors
from services.payments.domain.action import Action, ActionType
from services.payments.domain.card import Card
from services.payments.domain.hold import Hold
from services.payments.domain.money import Money
from services.payments.domain.outcome import DeclineCode
from services.payments.domain.status import Authorization, Status, status_of


@value(frozen=True, slots=True, kw_only=True)
class Payment:
    """One authorization and the sums of what was done with it.

    `captured` and `refunded` are settled; `capturing` and `refunding` are reserved by actions whose
    answer from the bank is still open. `hold` is what becomes of the rest. `reversing` is so while
    an authorization is undone that is not known yet. `version` rises by one with every change that
    is stored.
    """

    merchant_id: str
    id: str
    version: int
    authorization: Authorization
    authorization_id: str
    authorized: Money
    captured: Money
    refunded: Money
    capturing: Money
    refunding: Money
    hold: Hold = Hold.OPEN
    reversing: bool = False
    card: Card
    reference: str
    decline: DeclineCode | None = None
    last_sequence: int
    create_time: datetime
    update_time: datetime
    expire_time: datetime

    @property
    def status(self) -> Status:
        """Where the payment stands."""
        return status_of(self)

    @property
    def uncaptured(self) -> Money:
        """The part of the authorization that no capture has taken or reserved."""
        return self.authorized - self.captured - self.capturing

    @property
    def refundable(self) -> Money:
        """What a refund may still give back."""
        return self.captured - self.refunded - self.refunding

    @staticmethod
    def authorize(
        amount: Money,
        card: Card,
        *,
        merchant_id: str,
        payment_id: str,
        action_id: str,
        reference: str,
        idempotency_key: str | None = None,
        now: datetime,
        expire_time: datetime,
    ) -> tuple["Payment", Action]:
        """Begin a payment: the bank is about to be asked to reserve `amount` on `card`.

        Raises:
            ValidationFailedError: The card's month of expiry is past.
        """
        if card.expiry.is_past(now):
            raise ValidationFailedError({"card_details.expiry": errors.IN_THE_PAST})
        action = Action(
            id=action_id,
            payment_id=payment_id,
            type=ActionType.AUTHORIZE,
            amount=amount,
            reference=reference,
            sequence=1,
            idempotency_key=idempotency_key,
            create_time=now,
            update_time=now,
        )
        payment = Payment(
            merchant_id=merchant_id,
            id=payment_id,
            version=1,
            authorization=Authorization.PENDING,
            authorization_id=action_id,
            authorized=amount,
            captured=amount.zero(),
            refunded=amount.zero(),
            capturing=amount.zero(),
            refunding=amount.zero(),
            card=card,
            reference=reference,
            last_sequence=1,
            create_time=now,
            update_time=now,
            expire_time=expire_time,
        )
        return payment, action

    def capture(
        self, amount: Money, *, final: bool, action_id: str, reference: str, now: datetime
    ) -> tuple["Payment", Action]:
        """Reserve `amount` for a capture; `final` lets no other capture follow.

        Raises:
            PaymentsError: By the guard ladder of the API: CURRENCY_MISMATCH, PAYMENT_VOIDED, …
        """
        self._guard(amount)
        self._guard_capture(now)
        if amount > self._left:
            raise errors.AmountExceedsCapturableError(requested=amount, available=self._left)
        action = self._action(ActionType.CAPTURE, amount, action_id, reference, now, final=final)
        hold = Hold.CLOSING if final else self.hold
        return self._next(action, capturing=self.capturing + amount, hold=hold), action

    def void(self, *, action_id: str, reference: str, now: datetime) -> tuple["Payment", Action]:
        """Begin to cancel; nothing else can begin meanwhile.

        Raises:
            PaymentsError: PAYMENT_CAPTURED, ACTION_PENDING, PAYMENT_EXPIRED, …
        """
        self._guard(self.authorized)
        if self.refunded:
            raise errors.PaymentRefundedError
        if self.captured:
            raise errors.PaymentCapturedError
        if self.capturing:
            raise errors.ActionPendingError
        self._guard_time(now)
        action = self._action(ActionType.VOID, self.authorized, action_id, reference, now)
        return self._next(action, hold=Hold.VOIDING), action

    def void_remainder(
        self, *, action_id: str, reference: str, now: datetime
    ) -> tuple["Payment", Action]:
        """Begin to release what no capture has taken; what was captured stays.

        Raises:
            PaymentsError: ACTION_PENDING, NOT_CAPTURED, PAYMENT_CAPTURED, PAYMENT_EXPIRED, …
        """
        self._guard(self.authorized)
        if self.refunded:
            raise errors.PaymentRefundedError
        if self.capturing or self.refunding:
            raise errors.ActionPendingError
        if not self.captured:
            raise errors.NotCapturedError
        if not self._left:
            raise errors.NothingLeftError
        self._guard_time(now)
        action = self._action(ActionType.VOID, self._left, action_id, reference, now, final=True)
        return self._next(action, hold=Hold.RELEASING), action

    def refund(
        self, amount: Money, *, action_id: str, reference: str, now: datetime
    ) -> tuple["Payment", Action]:
        """Reserve `amount` of what was captured for a refund.

        Raises:
            PaymentsError: ACTION_PENDING, NOT_CAPTURED, AMOUNT_EXCEEDS_REFUNDABLE, …
        """
        self._guard(amount)
        if self.capturing:
            raise errors.ActionPendingError
        if not self.captured:
            raise errors.NotCapturedError
        if amount > self.refundable:
            raise errors.AmountExceedsRefundableError(requested=amount, available=self.refundable)
        action = self._action(ActionType.REFUND, amount, action_id, reference, now)
        return self._next(action, refunding=self.refunding + amount), action

    def reverse(self, *, action_id: str, now: datetime) -> tuple["Payment", Action]:
        """Begin to undo an authorization that the bank never confirmed.

        From here on an approval that arrives late no longer counts: see `settle`.
        """
        action = self._action(ActionType.REVERSE, self.authorized, action_id, "", now)
        return self._next(action, reversing=True), action

    def expire(self, *, action_id: str, now: datetime) -> tuple["Payment", Action] | None:
        """Begin to release what is left of an authorization whose time is over.

        None if there is nothing to expire, or as long as an action is in flight.
        """
        has_rest = self.status in {Status.AUTHORIZED, Status.PARTIALLY_CAPTURED}
        in_flight = self.capturing or self.refunding or self.hold is not Hold.OPEN
        if not has_rest or in_flight or now < self.expire_time:
            return None
        action = self._action(ActionType.EXPIRE, self.uncaptured, action_id, "", now)
        return self._next(action, hold=Hold.EXPIRING), action

    @property
    def _left(self) -> Money:
        """What can be captured, if a capture is possible at all."""
        return self.authorized.zero() if self.hold is Hold.CLOSED else self.uncaptured

    def _guard(self, amount: Money) -> None:
        if amount.currency != self.authorized.currency:
            raise errors.CurrencyMismatchError
        match self.authorization:
            case Authorization.DECLINED:
                raise errors.PaymentDeclinedError
            case Authorization.FAILED:
                raise errors.PaymentFailedError
            case Authorization.PENDING:
                raise errors.ActionPendingError
            case Authorization.APPROVED:
                self._guard_hold()
            case _:
                assert_never(self.authorization)

    def _guard_hold(self) -> None:
        match self.hold:
            case Hold.VOIDED:
                raise errors.PaymentVoidedError
            case Hold.EXPIRED:
                raise errors.PaymentExpiredError
            case Hold.VOIDING | Hold.RELEASING:
                raise errors.ActionPendingError
            case Hold.OPEN | Hold.CLOSING | Hold.CLOSED | Hold.EXPIRING:
                pass  # what was captured can be refunded; the rest is for the verb to say
            case _:
                assert_never(self.hold)

    def _guard_capture(self, now: datetime) -> None:
        if self.refunded:
            raise errors.PaymentRefundedError
        if self.refunding or self.hold is Hold.CLOSING:
            raise errors.ActionPendingError
        self._guard_time(now)

    def _guard_time(self, now: datetime) -> None:
        """Refuse what is too late: by this clock, or by the one that has begun the expiry."""
        if self.hold is Hold.EXPIRING or now >= self.expire_time:
            raise errors.PaymentExpiredError

    def _action(
        self,
        action_type: ActionType,
        amount: Money,
        action_id: str,
        reference: str,
        now: datetime,
        *,
        final: bool = False,
    ) -> Action:
        return Action(
            id=action_id,
            payment_id=self.id,
            type=action_type,
            amount=amount,
            final=final,
            reference=reference,
            sequence=self.last_sequence + 1,
            create_time=now,
            update_time=now,
        )

    def _next(self, action: Action, **changes: Money | Hold | bool) -> "Payment":
        # The field types are the dataclass's own; mypy cannot follow changed(**changes).
        return changed(
            self,
            version=self.version + 1,
            last_sequence=action.sequence,
            update_time=action.create_time,
            **changes,  # type: ignore[arg-type]
        )
