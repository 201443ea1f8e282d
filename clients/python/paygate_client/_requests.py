"""Each call of the API, built of its arguments."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from paygate_client import _decode as read
from paygate_client._call import Call, part
from paygate_client._decode import Json
from paygate_client.card import Card
from paygate_client.enums import DeliveryStatus, EndpointStatus, EventType, PaymentStatus
from paygate_client.models import Action, Outcome, Page, Payment
from paygate_client.money import Money
from paygate_client.webhook_models import (
    Delivery,
    DeliveryAttempt,
    EndpointSecret,
    Event,
    TestEvent,
    WebhookEndpoint,
)

T = TypeVar("T")
PAGE_SIZE = 100


def authorize(
    amount: Money, *, card: Card | None, card_token: str | None, reference: str
) -> Call[Outcome]:
    """Reserve an amount on a card or on the card of a token."""
    if (card is None) == (card_token is None):
        raise TypeError("authorize takes either a card or a card_token")
    # The card comes last: whatever fails before it holds none.
    about = {"amount": _money(amount), "reference": reference}
    if card is None:
        return _moving("authorize", {**about, "card_token": card_token})
    return _moving("authorize", {**about, "card_details": _card(card)})


def capture(payment: Payment | str, amount: Money, *, final: bool, reference: str) -> Call[Outcome]:
    """Take an amount of what is reserved."""
    about = {"authorization_id": id_of(payment), "amount": _money(amount)}
    return _moving("capture", {**about, "final": final, "reference": reference})


def void(payment: Payment | str, *, remainder: bool, reference: str) -> Call[Outcome]:
    """Cancel, or release what no capture has taken."""
    about = {"authorization_id": id_of(payment), "remainder": remainder}
    return _moving("void", {**about, "reference": reference})


def refund(payment: Payment | str, amount: Money, *, reference: str) -> Call[Outcome]:
    """Give an amount back."""
    about = {"authorization_id": id_of(payment), "amount": _money(amount)}
    return _moving("refund", {**about, "reference": reference})


def get_payment(payment: Payment | str, *, include_actions: bool) -> Call[Payment]:
    """Look at a payment."""
    query = {"include_actions": "true"} if include_actions else {}
    path, found = f"/payment/{part(id_of(payment))}", read.under("payment", read.payment)
    return Call(name="get payment", method="GET", path=path, query=query, read=found)


def list_actions(payment: Payment | str, *, token: str, follow: bool) -> Call[Page[Action]]:
    """One page of a payment's history."""
    path, found = f"/payment/{part(id_of(payment))}/actions", read.page("actions", read.action)
    return listing("list actions", path, found, token=token, follow=follow)


def list_payments(
    *,
    status: PaymentStatus | None,
    reference: str | None,
    created_after: datetime | None,
    created_before: datetime | None,
    token: str,
    follow: bool,
) -> Call[Page[Payment]]:
    """One page of payments."""
    filters = {
        "status": status,
        "reference": reference,
        "created_after": sent_time(created_after),
        "created_before": sent_time(created_before),
    }
    found = read.page("payments", read.payment)
    return listing("list payments", "/payments", found, token=token, follow=follow, **filters)


def delete_card(token: str) -> Call[None]:
    """Remove a card's number from the vault."""
    path = f"/cards/{part(token)}"
    return Call(name="delete card", method="DELETE", path=path, read=read.nothing)


def create_endpoint(
    url: str, *, event_types: Iterable[EventType | str], description: str
) -> Call[EndpointSecret]:
    """Make a webhook endpoint."""
    body = {"url": url, "event_types": list(event_types), "description": description}
    return posted("create endpoint", "/webhook-endpoints", body, read.endpoint_secret)


def get_endpoint(endpoint: str) -> Call[WebhookEndpoint]:
    """Look at an endpoint."""
    found = read.under("endpoint", read.endpoint)
    return Call(name="get endpoint", method="GET", path=_endpoint(endpoint), read=found)


def list_endpoints(*, token: str) -> Call[Page[WebhookEndpoint]]:
    """One page of endpoints."""
    found = read.page("endpoints", read.endpoint)
    return listing("list endpoints", "/webhook-endpoints", found, token=token, follow=False)


def update_endpoint(
    endpoint: str,
    *,
    url: str | None,
    event_types: Iterable[EventType | str] | None,
    status: EndpointStatus | None,
    description: str | None,
) -> Call[WebhookEndpoint]:
    """Change what is given of an endpoint."""
    types = None if event_types is None else list(event_types)
    given = {"url": url, "event_types": types, "status": status, "description": description}
    return Call(
        name="update endpoint",
        method="PATCH",
        path=_endpoint(endpoint),
        body={name: value for name, value in given.items() if value is not None},
        read=read.under("endpoint", read.endpoint),
    )


def delete_endpoint(endpoint: str) -> Call[None]:
    """Remove an endpoint."""
    path = _endpoint(endpoint)
    return Call(
        name="delete endpoint", method="DELETE", path=path, read=read.nothing, gone_is_done=True
    )


def rotate_secret(endpoint: str, *, overlap: timedelta | None) -> Call[EndpointSecret]:
    """Make a new secret of an endpoint."""
    body = {} if overlap is None else {"overlap_seconds": int(overlap.total_seconds())}
    path = f"{_endpoint(endpoint)}/rotate-secret"
    return posted("rotate secret", path, body, read.endpoint_secret)


def send_test_event(endpoint: str) -> Call[TestEvent]:
    """Deliver an event about nothing to one endpoint."""
    return posted("send test event", f"{_endpoint(endpoint)}/test", {}, read.test_event)


def redeliver_failed(endpoint: str, *, since: datetime) -> Call[int]:
    """Deliver again what failed since a time."""
    path, body = f"{_endpoint(endpoint)}/redeliver-failed", {"since": sent_time(since)}
    return posted("redeliver failed", path, body, read.under("count", int))


def list_events(
    *,
    payment: Payment | str | None,
    event_type: EventType | str | None,
    created_after: datetime | None,
    created_before: datetime | None,
    token: str,
    follow: bool,
) -> Call[Page[Event]]:
    """One page of events."""
    filters = {
        "payment_id": None if payment is None else id_of(payment),
        "type": event_type,
        "created_after": sent_time(created_after),
        "created_before": sent_time(created_before),
    }
    found = read.page("events", read.event)
    return listing("list events", "/events", found, token=token, follow=follow, **filters)


def watch_events(
    *, payment: Payment | str | None, event_type: EventType | str | None, cursor: str
) -> Call[tuple[Event | None, str]]:
    """Events as they come: each message is read by itself."""
    filters = {
        "cursor": cursor or None,
        "payment_id": None if payment is None else id_of(payment),
        "type": event_type,
    }
    path = "/events/watch"
    return Call(name="watch events", method="GET", path=path, query=filters, read=read.watched)


def get_event(event: str) -> Call[Event]:
    """Look at an event."""
    path, found = f"/events/{part(event)}", read.under("event", read.event)
    return Call(name="get event", method="GET", path=path, read=found)


def list_deliveries(event: str, *, token: str, follow: bool) -> Call[Page[Delivery]]:
    """One page of what became of an event."""
    path, found = f"/events/{part(event)}/deliveries", read.page("deliveries", read.delivery)
    return listing("list deliveries", path, found, token=token, follow=follow)


def list_endpoint_deliveries(
    endpoint: str, *, status: DeliveryStatus | None, token: str
) -> Call[Page[Delivery]]:
    """One page of what became of the events that went to an endpoint."""
    path, found = f"{_endpoint(endpoint)}/deliveries", read.page("deliveries", read.delivery)
    name = "list endpoint deliveries"
    return listing(name, path, found, token=token, follow=False, status=status)


def list_attempts(event: str, endpoint: str, *, token: str) -> Call[Page[DeliveryAttempt]]:
    """One page of the tries to deliver an event to an endpoint."""
    path = f"/events/{part(event)}/deliveries/{part(endpoint)}/attempts"
    found = read.page("attempts", read.attempt)
    return listing("list attempts", path, found, token=token, follow=False)


def redeliver_event(event: str, *, endpoint: str | None) -> Call[tuple[Delivery, ...]]:
    """Deliver an event again."""
    body = {} if endpoint is None else {"endpoint_id": endpoint}
    path, found = f"/events/{part(event)}/redeliver", read.all_under("deliveries", read.delivery)
    return posted("redeliver event", path, body, found)


def id_of(payment: Payment | str) -> str:
    """Return the id of a payment that is given as a value or by its id."""
    return payment.id if isinstance(payment, Payment) else payment


def _moving(name: str, body: Mapping[str, object]) -> Call[Outcome]:
    return posted(name, f"/{name}", body, read.outcome)


def posted(name: str, path: str, body: Mapping[str, object], found: Callable[[Json], T]) -> Call[T]:
    """Return a call that makes or moves something, under a key."""
    return Call(name=name, method="POST", path=path, body=body, read=found, takes_key=True)


def listing(
    name: str,
    path: str,
    found: Callable[[Json], Page[T]],
    *,
    token: str,
    follow: bool,
    **filters: str | None,
) -> Call[Page[T]]:
    """Return a call for one page of a list."""
    about = {"page_size": str(PAGE_SIZE), "page_token": token or None}
    query = {**about, "follow": "true" if follow else None, **filters}
    return Call(name=name, method="GET", path=path, query=query, read=found)


def _endpoint(endpoint: str) -> str:
    return f"/webhook-endpoints/{part(endpoint)}"


def _money(amount: Money) -> dict[str, object]:
    if not isinstance(amount, Money):
        raise TypeError("an amount is a Money")
    return {"minor_units": str(amount.minor_units), "currency": amount.currency}


def _card(card: Card) -> dict[str, object]:
    expiry = {"month": card.expiry.month, "year": card.expiry.year}
    return {"pan": card.number, "expiry": expiry, "cvv": card.cvv}


def sent_time(time: datetime | None) -> str | None:
    """Return a time as it is sent: in UTC; None for none."""
    if time is None:
        return None
    if time.tzinfo is None:
        raise ValueError("a time has a zone")
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
