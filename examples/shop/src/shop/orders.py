"""Orders, and what the gateway tells of their payments.

The shop learns of everything that happens to a payment in two ways: from the reply to its own call,
and from a webhook. Either may be first, and a webhook may come twice or be the only one. So both go
through `Shop.learn`, which takes only what is news.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4

from paygate_client import Action, ActionStatus, ActionType, Card, Event, Money, Paygate


class UnknownOrderError(Exception):
    """There is no such order."""


class Status(StrEnum):
    """Where an order stands."""

    WAITING = "waiting"  # for the customer's bank
    DECLINED = "declined"
    RESERVED = "reserved"
    EXPIRED = "expired"
    SHIPPING = "shipping"  # as soon as the bank has paid
    SHIPPED = "shipped"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


# By what is done to the payment: while nobody knows how it went; when it was done; when it was not.
_STATUS: Mapping[ActionType, tuple[Status, Status, Status]] = {
    ActionType.AUTHORIZE: (Status.WAITING, Status.RESERVED, Status.DECLINED),
    ActionType.CAPTURE: (Status.SHIPPING, Status.SHIPPED, Status.RESERVED),
    ActionType.REFUND: (Status.REFUNDING, Status.REFUNDED, Status.SHIPPED),
    ActionType.EXPIRE: (Status.EXPIRED, Status.EXPIRED, Status.EXPIRED),
}


@dataclass(kw_only=True)
class Order:
    """What a customer wants, and how far it is.

    Attributes:
        id: The shop's own.
        price: What is to be paid.
        status: Where it stands.
        payment_id: `pay_…`.
        problem: Why the bank said no the last time; empty if it did not.
    """

    id: str
    price: Money
    status: Status = Status.WAITING
    payment_id: str = ""
    problem: str = ""
    _known: tuple[int, bool] = (0, False)

    def learn(self, action: Action) -> bool:
        """Take in what happened to the payment; return whether it was news.

        An action is news if it is later than all that is known, or known and now has its result.
        """
        is_over = action.status != ActionStatus.PENDING
        if (action.sequence, is_over) <= self._known or action.type not in _STATUS:
            return False
        self._known = (action.sequence, is_over)
        pending, done, undone = _STATUS[action.type]
        is_done = action.status == ActionStatus.SUCCEEDED
        self.status = done if is_done else undone if is_over else pending
        self.problem = action.decline.message if action.decline else ""
        return True


class Shop:
    """Takes orders. They are kept in memory here; a real shop has a database.

    Args:
        paygate: Makes calls as the shop.

    Attributes:
        parcels: The ids of the orders that were handed to the post, each once.
    """

    def __init__(self, paygate: Paygate) -> None:
        self.parcels: list[str] = []
        self._paygate = paygate
        self._orders: dict[str, Order] = {}
        self._lock = threading.Lock()

    def order(self, order_id: str) -> Order:
        """Return an order.

        Raises:
            UnknownOrderError: There is none with this id.
        """
        try:
            return self._orders[order_id]
        except KeyError:
            raise UnknownOrderError from None

    def place(self, price: Money, card: Card) -> Order:
        """Take an order, and reserve its price on the customer's card."""
        order = Order(id=uuid4().hex, price=price)
        self._orders[order.id] = order
        # The payment carries the order's id, for a webhook that is there before the reply.
        outcome = self._paygate.authorize(price, card=card, reference=order.id)
        order.payment_id = outcome.payment.id
        return self.learn(order, outcome.action)

    def ship(self, order_id: str) -> Order:
        """Take the money; the parcel goes to the post when that was done, now or later."""
        order = self.order(order_id)
        outcome = self._paygate.capture(order.payment_id, order.price)
        return self.learn(order, outcome.action)

    def refund(self, order_id: str) -> Order:
        """Give the money back."""
        order = self.order(order_id)
        outcome = self._paygate.refund(order.payment_id, order.price)
        return self.learn(order, outcome.action)

    def hear(self, event: Event) -> None:
        """Take in what a webhook tells; what is about no order of ours is not for us."""
        if event.payment and event.action and event.payment.reference in self._orders:
            self.learn(self._orders[event.payment.reference], event.action)

    def learn(self, order: Order, action: Action) -> Order:
        """Take in what happened to an order's payment, and do what follows from it."""
        with self._lock:
            if order.learn(action) and order.status == Status.SHIPPED:
                self.parcels.append(order.id)
        return order
