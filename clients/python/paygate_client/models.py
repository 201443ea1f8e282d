"""What the gateway says of payments, as frozen values. Times are aware, in UTC."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from paygate_client.card import Expiry
from paygate_client.enums import ActionStatus, ActionType, Brand, DeclineCode, PaymentStatus
from paygate_client.money import Money

Item_co = TypeVar("Item_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """Why the customer's bank said no: a result, not an error.

    Attributes:
        code: For programs.
        message: For people.
    """

    code: DeclineCode
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardOnFile:
    """What may be known of a card after an authorization.

    Attributes:
        brand: Its network.
        last4: The last four digits of its number.
        expiry: The month in which it expires; None if the gateway does not say.
        token: `tok_…`, to authorize again without its number; empty if there is none.
    """

    brand: Brand
    last4: str
    expiry: Expiry | None
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing done to a payment.

    Attributes:
        id: `act_…`.
        payment_id: `pay_…`.
        type: What was done.
        status: How it went.
        amount: What it was about; for a void and an expiry what was released.
        reference: The merchant's own, of at most 255 characters.
        decline: Why it was declined; None unless it was.
        sequence: Its place in the payment's history, from 1.
        create_time: When it was begun.
        update_time: When it last changed.
        approval_code: The bank's own code; empty until it has approved.
    """

    id: str
    payment_id: str
    type: ActionType
    status: ActionStatus
    amount: Money
    reference: str
    decline: Decline | None
    sequence: int
    create_time: datetime
    update_time: datetime
    approval_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One authorization and everything that was done with it.

    Attributes:
        id: `pay_…`.
        status: Where it stands.
        authorized: The amount that was asked for, whatever became of it.
        captured: The sum of the captures that succeeded.
        refunded: The sum of the refunds that succeeded.
        capturable: What a capture may still take; 0 whenever one would be refused.
        refundable: What a refund may still give back.
        card: The card that was charged; None if the gateway does not say.
        reference: The merchant's own, of at most 255 characters.
        decline: Why the authorization was declined; None unless it was.
        create_time: When the authorization was asked for.
        update_time: When it last changed.
        expire_time: From when on it can be neither captured nor voided.
        actions: Its newest 100 actions, oldest first, where they were asked for; else empty.
    """

    id: str
    status: PaymentStatus
    authorized: Money
    captured: Money
    refunded: Money
    capturable: Money
    refundable: Money
    card: CardOnFile | None
    reference: str
    decline: Decline | None
    create_time: datetime
    update_time: datetime
    expire_time: datetime
    actions: Sequence[Action]

    @property
    def is_final(self) -> bool:
        """Whether neither it nor one of its `actions`, where they were asked for, is PENDING."""
        pending = any(action.status == ActionStatus.PENDING for action in self.actions)
        return self.status != PaymentStatus.PENDING and not pending


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an authorize, capture, void or refund led to: a decline as well as a success.

    Attributes:
        action: What was done; its `status` says how it went.
        payment: The payment after it.
    """

    action: Action
    payment: Payment

    @property
    def succeeded(self) -> bool:
        """Whether it was done; False for DECLINED and FAILED, and while it is PENDING."""
        return self.action.status == ActionStatus.SUCCEEDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[Item_co]):
    """One page of a list.

    Attributes:
        items: What is on it; there may be none before the last page.
        next_token: Begins the next page; empty on the last one, never in a list that is followed.
    """

    items: Sequence[Item_co]
    next_token: str
