"""From the JSON of a reply to values. Fields that are not known here are passed over."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar

from paygate_client.card import Expiry
from paygate_client.enums import (
    ActionStatus,
    ActionType,
    Brand,
    DeclineCode,
    DeliveryStatus,
    DueKind,
    EndpointStatus,
    EventType,
    PaymentStatus,
)
from paygate_client.models import Action, CardOnFile, Decline, Outcome, Page, Payment
from paygate_client.money import Money
from paygate_client.sandbox_models import (
    Clock,
    Drained,
    Due,
    InboxMessage,
    ListenerMessage,
    LoggedRequest,
    TestCard,
)
from paygate_client.webhook_models import (
    Delivery,
    DeliveryAttempt,
    EndpointSecret,
    Event,
    TestEvent,
    WebhookEndpoint,
)

Json = dict[str, Any]
# What it ends with to read something else: wrong types and names, numbers without an end, lists in
# lists in lists.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError)
T = TypeVar("T")


def nothing(_: Json) -> None:
    """Read a reply that says nothing."""


def outcome(said: Json) -> Outcome:
    """Read the reply to an authorize, capture, void or refund."""
    return Outcome(action=action(said["action"]), payment=payment(said["payment"]))


def payment(said: Json) -> Payment:
    """Read a payment."""
    return Payment(
        id=said["id"],
        status=PaymentStatus(said["status"]),
        authorized=money(said["authorized"]),
        captured=money(said["captured"]),
        refunded=money(said["refunded"]),
        capturable=money(said["capturable"]),
        refundable=money(said["refundable"]),
        card=_if_set(card, said.get("card")),
        reference=said.get("reference", ""),
        decline=_if_set(decline, said.get("decline")),
        create_time=time(said["create_time"]),
        update_time=time(said["update_time"]),
        expire_time=time(said["expire_time"]),
        actions=tuple(map(action, said.get("actions", ()))),
    )


def action(said: Json) -> Action:
    """Read an action."""
    return Action(
        id=said["id"],
        payment_id=said["payment_id"],
        type=ActionType(said["type"]),
        status=ActionStatus(said["status"]),
        amount=money(said["amount"]),
        reference=said.get("reference", ""),
        decline=_if_set(decline, said.get("decline")),
        sequence=int(said["sequence"]),
        create_time=time(said["create_time"]),
        update_time=time(said["update_time"]),
        approval_code=said.get("approval_code", ""),
    )


def decline(said: Json) -> Decline:
    """Read why the bank said no."""
    return Decline(code=DeclineCode(said["code"]), message=said.get("message", ""))


def card(said: Json) -> CardOnFile:
    """Read what is known of a card."""
    return CardOnFile(
        brand=Brand(said["brand"]),
        last4=said["last4"],
        expiry=_if_set(expiry, said.get("expiry")),
        token=said.get("token", ""),
    )


def expiry(said: Json) -> Expiry:
    """Read a month."""
    return Expiry(month=int(said["month"]), year=int(said["year"]))


def money(said: Json) -> Money:
    """Read an amount."""
    return Money(int(said["minor_units"]), said["currency"])


def event(said: Json) -> Event:
    """Read an event, of a list or of a webhook's body."""
    return Event(
        id=said["id"],
        type=EventType(said["type"]),
        payment=_if_set(lambda data: payment(data["payment"]), said.get("data")),
        action=_if_set(lambda data: action(data["action"]), said.get("data")),
        sequence=int(said["sequence"]),
        create_time=time(said["create_time"]),
    )


def watched(said: Json) -> tuple[Event | None, str]:
    """Read a message of a watch: the event, None in a sign of life; and the cursor behind it."""
    return _if_set(event, said.get("event")), said["cursor"]


def endpoint(said: Json) -> WebhookEndpoint:
    """Read an endpoint."""
    return WebhookEndpoint(
        id=said["id"],
        url=said["url"],
        event_types=tuple(map(EventType, said.get("event_types", ()))),
        status=EndpointStatus(said["status"]),
        description=said.get("description", ""),
        create_time=time(said["create_time"]),
        update_time=time(said["update_time"]),
    )


def endpoint_secret(said: Json) -> EndpointSecret:
    """Read an endpoint and its new secret."""
    return EndpointSecret(endpoint=endpoint(said["endpoint"]), secret=said["secret"])


def delivery(said: Json) -> Delivery:
    """Read a delivery."""
    return Delivery(
        event_id=said["event_id"],
        endpoint_id=said["endpoint_id"],
        status=DeliveryStatus(said["status"]),
        attempts=int(said.get("attempts", 0)),
        last_status_code=int(said.get("last_status_code", 0)),
        last_error=said.get("last_error", ""),
        last_attempt_time=_if_set(time, said.get("last_attempt_time")),
        next_attempt_time=_if_set(time, said.get("next_attempt_time")),
        event_type=EventType(said.get("event_type", "")),
        payment_id=said.get("payment_id", ""),
        create_time=_if_set(time, said.get("create_time")),
    )


def test_event(said: Json) -> TestEvent:
    """Read a test event and its delivery."""
    return TestEvent(event=event(said["event"]), delivery=delivery(said["delivery"]))


def attempt(said: Json) -> DeliveryAttempt:
    """Read a try to deliver an event."""
    return DeliveryAttempt(
        number=int(said["number"]),
        create_time=time(said["create_time"]),
        duration=duration(said["duration"]),
        status_code=int(said.get("status_code", 0)),
        error=said.get("error", ""),
        reply=said.get("reply", ""),
    )


def clock(said: Json) -> Clock:
    """Read the sandbox's clock."""
    return Clock(now=time(said["now"]), offset=duration(said["offset"]))


def drained(said: Json) -> Drained:
    """Read what is still due."""
    return Drained(
        drained=bool(said["drained"]),
        pending_actions=int(said["pending_actions"]),
        due_expiries=int(said["due_expiries"]),
        pending_events=int(said["pending_events"]),
        due_deliveries=int(said["due_deliveries"]),
    )


def due(said: Json) -> Due:
    """Read what happens at a time."""
    texts = ("payment_id", "event_id", "endpoint_id")
    return Due(
        **{name: str(said[name]) for name in texts},
        kind=DueKind(said["kind"]),
        due_time=time(said["due_time"]),
    )


def listener_message(said: Json) -> ListenerMessage:
    """Read a message for a listener."""
    return ListenerMessage(
        id=said["id"],
        event_id=said["event_id"],
        attempt=int(said["attempt"]),
        taken_before=bool(said["taken_before"]),
        headers=dict(said["headers"]),
        body=said["body"],
    )


def inbox_message(said: Json) -> InboxMessage:
    """Read a message of the inbox."""
    return InboxMessage(
        id=said["id"],
        create_time=time(said["create_time"]),
        endpoint_id=said["endpoint_id"],
        event_id=said["event_id"],
        status_code=int(said["status_code"]),
        headers=dict(said["headers"]),
        body=said["body"].encode(),
    )


def test_card(said: Json) -> TestCard:
    """Read a card of the simulated bank."""
    return TestCard(number=said["pan"], description=said["description"])


def logged_request(said: Json) -> LoggedRequest:
    """Read a call in the request log."""
    texts = ("id", "method", "service", "code", "reason", "idempotency_key", "payment_id", "key_id")
    return LoggedRequest(
        **{name: str(said[name]) for name in texts},
        create_time=time(said["create_time"]),
        http_status=int(said["http_status"]),
        duration=duration(said["duration"]),
        replayed=bool(said["replayed"]),
        rest=bool(said["rest"]),
        request=_if_set(dict, said.get("request")),
        reply=_if_set(dict, said.get("reply")),
    )


def time(text: str) -> datetime:
    """Read a time with its zone; of nanoseconds, the microseconds."""
    read = datetime.fromisoformat(text)
    if read.tzinfo is None:
        raise ValueError("a time without a zone")
    return read


def duration(text: str) -> timedelta:
    """Read seconds with decimals and an `s`."""
    return timedelta(seconds=float(text.removesuffix("s")))


def under(name: str, read: Callable[[Any], T]) -> Callable[[Json], T]:
    """Return what reads one field of a reply."""
    return lambda said: read(said[name])


def all_under(name: str, read: Callable[[Any], T]) -> Callable[[Json], tuple[T, ...]]:
    """Return what reads a list in a reply."""
    return lambda said: tuple(map(read, said.get(name, ())))


def page(name: str, read: Callable[[Any], T]) -> Callable[[Json], Page[T]]:
    """Return what reads one page of a list."""
    items = all_under(name, read)
    return lambda said: Page(items=items(said), next_token=said.get("next_page_token", ""))


def _if_set(read: Callable[[Any], T], said: Any) -> T | None:
    return None if said is None else read(said)
