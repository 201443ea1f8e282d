"""What the gateway says of events and webhook endpoints. Times are aware, in UTC."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paygate_client.enums import DeliveryStatus, EndpointStatus, EventType
from paygate_client.models import Action, Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact about a payment, or a test of an endpoint (`EventType.TEST`).

    Attributes:
        id: `evt_…`: drop what comes again by it.
        type: What became true.
        payment: The payment as it was then; None in a test.
        action: The action that made it true, as it was then; None in a test.
        sequence: Rises with every event of one payment; gaps are normal.
        create_time: When it became true.
    """

    id: str
    type: EventType
    payment: Payment | None
    action: Action | None
    sequence: int
    create_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """A place of the merchant's to which events are posted.

    Attributes:
        id: `we_…`.
        url: Where events are posted.
        event_types: Those that are posted; empty for all.
        status: Whether any are posted.
        description: The merchant's own words.
        create_time: When it was made.
        update_time: When it last changed.
    """

    id: str
    url: str
    event_types: Sequence[EventType]
    status: EndpointStatus
    description: str
    create_time: datetime
    update_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSecret:
    """An endpoint with a secret that was just made. It is told once; keep it.

    Attributes:
        endpoint: The endpoint.
        secret: `whsec_…`, for `webhooks.verify`. It is not in the `repr`.
    """

    endpoint: WebhookEndpoint
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one endpoint.

    Attributes:
        event_id: `evt_…`.
        endpoint_id: `we_…`.
        status: How far it has come.
        attempts: How often it was tried.
        last_status_code: The HTTP status of the last try; 0 when there was no answer.
        last_error: What went wrong last; empty when nothing did.
        last_attempt_time: When it was last tried; None before the first try.
        next_attempt_time: When it will be tried next; None when it will not.
        event_type: What became true; empty from a gateway that does not tell.
        payment_id: `pay_…`: the payment that the event is about; empty for a test.
        create_time: When it became true; None from a gateway that does not tell.
    """

    event_id: str
    endpoint_id: str
    status: DeliveryStatus
    attempts: int
    last_status_code: int
    last_error: str
    last_attempt_time: datetime | None
    next_attempt_time: datetime | None
    event_type: EventType | str = ""
    payment_id: str = ""
    create_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TestEvent:
    """An event that is there to see that an endpoint works, and its delivery."""

    event: Event
    delivery: Delivery


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryAttempt:
    """One try to deliver an event to an endpoint, and what came of it.

    Attributes:
        number: From 1 on; it goes on rising when the event is redelivered.
        create_time: When it was begun.
        duration: How long it took.
        status_code: The HTTP status of the answer; 0 when there was none.
        error: What went wrong; empty when nothing did.
        reply: The start of the answer's body, as text.
    """

    number: int
    create_time: datetime
    duration: timedelta
    status_code: int
    error: str
    reply: str
