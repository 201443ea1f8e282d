"""The messages of the two peers that speak JSON: those of the gateway's REST API."""

import orjson
from pydantic import BaseModel

from bench.peers.work import Authorized, Order


class Expiry(BaseModel):
    """Month and year."""

    month: int
    year: int


class CardDetails(BaseModel):
    """A card."""

    pan: str
    expiry: Expiry
    cvv: str


class Amount(BaseModel):
    """Money."""

    minor_units: int
    currency: str


class AuthorizeRequest(BaseModel):
    """The body."""

    card_details: CardDetails
    amount: Amount
    reference: str = ""

    def order(self) -> Order:
        """Return what is to be authorized."""
        return Order(
            pan=self.card_details.pan,
            month=self.card_details.expiry.month,
            year=self.card_details.expiry.year,
            cvv=self.card_details.cvv,
            minor_units=self.amount.minor_units,
            currency=self.amount.currency,
            reference=self.reference,
        )


def reply(order: Order, done: Authorized) -> bytes:
    """Return the reply, which is also what the event carries."""
    amount = {"minor_units": str(order.minor_units), "currency": order.currency}
    none = {"minor_units": "0", "currency": order.currency}
    action = {
        "id": done.action_id,
        "payment_id": done.payment_id,
        "type": "TYPE_AUTHORIZE",
        "status": "STATUS_SUCCEEDED",
        "amount": amount,
        "create_time": done.create_time,
    }
    payment = {
        "id": done.payment_id,
        "status": "STATUS_AUTHORIZED",
        "authorized": amount,
        "captured": none,
        "refunded": none,
        "card": {"brand": done.brand, "last4": done.last4},
        "reference": order.reference,
        "create_time": done.create_time,
        "expire_time": done.expire_time,
    }
    body: bytes = orjson.dumps({"action": action, "payment": payment})
    return body
