"""What the gateway says of events and webhook endpoints. Times are aware, in UTC."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from paygate_client.enums import DeliveryStatus, EndpointStatus, EventType
from paygate_client.models import Action, Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact about a payment.

    Attributes:
        id: `evt_…`: drop what comes again by it.
        type: What became true.
        payment: The payment as it was then.
        action: The action that made it true, as it was then.
        sequence: Rises with every event of one payment; gaps are normal.
        create_time: When it became true.
    """

    id: str
    type: EventType
    payment: Payment
    action: Action
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
    """

    event_id: str
    endpoint_id: str
    status: DeliveryStatus
    attempts: int
    last_status_code: int
    last_error: str
    last_attempt_time: datetime | None
    next_attempt_time: datetime | None
