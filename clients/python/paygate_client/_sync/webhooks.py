# Generated from `_async` by `make proto-generate`: change it there.
"""Events, and the endpoints that they are posted to."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from paygate_client import _requests as requests
from paygate_client._sync.listing import Listing
from paygate_client._sync.transport import Transport
from paygate_client._sync.watch import Watch
from paygate_client.enums import DeliveryStatus, EndpointStatus, EventType
from paygate_client.models import Payment
from paygate_client.webhook_models import (
    Delivery,
    DeliveryAttempt,
    EndpointSecret,
    Event,
    TestEvent,
    WebhookEndpoint,
)


class Endpoints:
    """Where a merchant's events are posted."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self,
        url: str,
        *,
        event_types: Iterable[EventType | str] = (),
        description: str = "",
        idempotency_key: str | None = None,
    ) -> EndpointSecret:
        """Make an endpoint; its secret is told here and never again.

        Args:
            url: HTTPS and public; in the sandbox also HTTP on loopback. At most 2,048 characters.
            event_types: Those to post; empty for all.
            description: Your own words, of at most 255 characters.
            idempotency_key: Your own, of 1 to 255 visible ASCII characters; kept for 24 hours.

        Raises:
            InvalidRequestError: A field is wrong; `field_violations` says which.
            RefusedError: `WEBHOOK_ENDPOINT_LIMIT`: there are too many.
        """
        call = requests.create_endpoint(url, event_types=event_types, description=description)
        return self._transport.send(call, idempotency_key)

    def get(self, endpoint_id: str) -> WebhookEndpoint:
        """Return an endpoint.

        Raises:
            NotFoundError: There is no such endpoint.
        """
        return self._transport.send(requests.get_endpoint(endpoint_id))

    def list(self) -> Listing[WebhookEndpoint]:
        """List the endpoints, newest first."""
        return Listing(self._transport, lambda at: requests.list_endpoints(token=at))

    def update(
        self,
        endpoint_id: str,
        *,
        url: str | None = None,
        event_types: Iterable[EventType | str] | None = None,
        status: EndpointStatus | None = None,
        description: str | None = None,
    ) -> WebhookEndpoint:
        """Change what is given, and nothing else; `event_types=[]` is all types.

        Raises:
            InvalidRequestError: A field is wrong.
            NotFoundError: There is no such endpoint.
        """
        call = requests.update_endpoint(
            endpoint_id, url=url, event_types=event_types, status=status, description=description
        )
        return self._transport.send(call)

    def delete(self, endpoint_id: str) -> None:
        """Remove an endpoint; what was on its way to it is given up.

        Raises:
            NotFoundError: There is no such endpoint.
        """
        self._transport.send(requests.delete_endpoint(endpoint_id))

    def rotate_secret(
        self,
        endpoint_id: str,
        *,
        overlap: timedelta | None = None,
        idempotency_key: str | None = None,
    ) -> EndpointSecret:
        """Make a new secret, told here and never again.

        Args:
            endpoint_id: `we_…`.
            overlap: For how long the old one signs as well, in whole seconds: up to 7 days; a day
                if it is not given.
            idempotency_key: As for `create`.

        Raises:
            NotFoundError: There is no such endpoint.
        """
        call = requests.rotate_secret(endpoint_id, overlap=overlap)
        return self._transport.send(call, idempotency_key)

    def send_test(self, endpoint_id: str, *, idempotency_key: str | None = None) -> TestEvent:
        """Deliver an event of type `webhook.test` to this endpoint alone.

        Raises:
            NotFoundError: There is no such endpoint.
            RefusedError: `WEBHOOK_ENDPOINT_DISABLED`.
        """
        return self._transport.send(requests.send_test_event(endpoint_id), idempotency_key)

    def list_deliveries(
        self, endpoint_id: str, *, status: DeliveryStatus | None = None
    ) -> Listing[Delivery]:
        """List what became of the events that went to an endpoint, the newest event first."""
        return Listing(
            self._transport,
            lambda at: requests.list_endpoint_deliveries(endpoint_id, status=status, token=at),
        )

    def redeliver_failed(
        self, endpoint_id: str, *, since: datetime, idempotency_key: str | None = None
    ) -> int:
        """Deliver again what failed since a time, which has a zone.

        Returns:
            How many, 10,000 at most: call again until it is 0.

        Raises:
            NotFoundError: There is no such endpoint.
            RefusedError: `WEBHOOK_ENDPOINT_DISABLED`.
        """
        call = requests.redeliver_failed(endpoint_id, since=since)
        return self._transport.send(call, idempotency_key)


class Events:
    """What happened to a merchant's payments."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        payment: Payment | str | None = None,
        event_type: EventType | str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        follow: bool = False,
        token: str = "",
        poll_seconds: float = 1.0,
    ) -> Listing[Event]:
        """List events, newest first; or, to `follow` them, oldest first and for ever.

        Args:
            payment: Only events of this payment.
            event_type: Only events of this type.
            created_after: Only events that became true at this time, which has a zone, or later.
            created_before: Only events that became true before this time, which has a zone.
            follow: Whether to go on with what comes later: each event once, and none is missed.
            token: `Page.next_token` to go on from, with the same filters.
            poll_seconds: How long to wait for more, when all was read.
        """
        ask = partial(
            requests.list_events,
            payment=payment,
            event_type=event_type,
            created_after=created_after,
            created_before=created_before,
            follow=follow,
        )
        poll = poll_seconds if follow else None
        return Listing(self._transport, lambda at: ask(token=at), token=token, poll_seconds=poll)

    def watch(
        self,
        *,
        payment: Payment | str | None = None,
        event_type: EventType | str | None = None,
        cursor: str = "",
        deadline_seconds: float | None = None,
    ) -> Watch:
        """Watch events as they come, from now on or from a cursor on.

        Args:
            payment: Only events of this payment.
            event_type: Only events of this type.
            cursor: `Watch.cursor` of another time, with the same filters.
            deadline_seconds: How long to try when the gateway can't be reached; by default as long
                as the client tries any call. `math.inf` is for ever.
        """
        ask = partial(requests.watch_events, payment=payment, event_type=event_type)
        return Watch(
            self._transport,
            lambda at: ask(cursor=at),
            cursor=cursor,
            deadline_seconds=deadline_seconds,
        )

    def get(self, event_id: str) -> Event:
        """Return an event.

        Raises:
            NotFoundError: There is no such event.
        """
        return self._transport.send(requests.get_event(event_id))

    def list_deliveries(self, event_id: str) -> Listing[Delivery]:
        """List what became of an event at each endpoint, as the deliveries were made out."""
        return Listing(
            self._transport, lambda at: requests.list_deliveries(event_id, token=at, follow=False)
        )

    def list_attempts(self, event_id: str, endpoint_id: str) -> Listing[DeliveryAttempt]:
        """List the last 50 tries to deliver an event to an endpoint, the newest first."""
        return Listing(
            self._transport, lambda at: requests.list_attempts(event_id, endpoint_id, token=at)
        )

    def redeliver(
        self, event_id: str, *, endpoint_id: str | None = None, idempotency_key: str | None = None
    ) -> Sequence[Delivery]:
        """Deliver an event again, to one endpoint or to all that want it; return the deliveries.

        Raises:
            NotFoundError: There is no such event, or no such endpoint.
            RefusedError: `WEBHOOK_ENDPOINT_DISABLED`.
        """
        call = requests.redeliver_event(event_id, endpoint=endpoint_id)
        return self._transport.send(call, idempotency_key)
