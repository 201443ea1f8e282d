"""What merchants read of their events and of the deliveries, and asking for them once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pkg.ids import lowest_id
from pkg.sql import Row
from pkg.tenancy import MerchantPool
from services.events.delivery_queue import Status
from services.events.errors import EventNotFoundError
from services.events.outbox import SQL

# Sorts after every id: their first character after the prefix is at most 7.
_AFTER_ALL_IDS = "evt_8"
_AFTER_ALL_SEQUENCES = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLimits:
    """How much one request may do."""

    # A page that has looked at so many events is shorter than asked for, with a token to go on by.
    scanned_max: int = 5_000
    redelivered_batch: int = 1_000  # in one statement
    redelivered_batches_max: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Serialised paygate.events.v1.PaymentEvent messages; `place` is where the next page begins."""

    payloads: Sequence[bytes]
    place: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event on its way to one endpoint."""

    event_id: str
    endpoint_id: str
    status: Status
    attempts: int
    last_status_code: int
    last_error: str
    last_attempt_time: datetime | None
    due_time: datetime | None


class Journal:
    """Every method may raise DependencyUnavailableError.

    Args:
        pool: Of the gateway's database.
        limits: How much at a time.
    """

    def __init__(self, pool: MerchantPool, limits: JournalLimits | None = None) -> None:
        self._pool = pool
        self._limits = limits or JournalLimits()

    async def get_event(self, merchant_id: str, event_id: str) -> bytes:
        """Return a serialised paygate.events.v1.PaymentEvent.

        Raises:
            EventNotFoundError: The merchant has no such event, or not any more.
        """
        payload: bytes | None = await self._pool.fetchval(
            SQL["api_get_event"], merchant_id, event_id
        )
        if payload is None:
            raise EventNotFoundError
        return payload

    async def list_events(
        self,
        merchant_id: str,
        *,
        event_type: str,
        place: str | None,
        size: int,
    ) -> EventPage:
        """Return a page of events, newest first; of one type unless that is empty."""
        rows = await self._pool.fetch(
            SQL["api_list_events"],
            merchant_id,
            place or _AFTER_ALL_IDS,
            event_type or None,
            size + 1,
            max(self._limits.scanned_max, size + 1),
        )
        return _page(rows, size, by="id")

    async def list_events_of_payment(
        self,
        merchant_id: str,
        payment_id: str,
        *,
        event_type: str,
        place: str | None,
        size: int,
    ) -> EventPage:
        """Return a page of a payment's events, newest first; of one type unless that is empty."""
        rows = await self._pool.fetch(
            SQL["api_list_events_of_payment"],
            merchant_id,
            payment_id,
            int(place or _AFTER_ALL_SEQUENCES),
            event_type or None,
            size + 1,
            max(self._limits.scanned_max, size + 1),
        )
        return _page(rows, size, by="sequence")

    async def list_deliveries(
        self, merchant_id: str, event_id: str, *, after_endpoint_id: str, limit: int
    ) -> Sequence[Delivery]:
        """Return what became of an event at each endpoint, by the endpoints' ids.

        Raises:
            EventNotFoundError: The merchant has no such event, or not any more.
        """
        await self.get_event(merchant_id, event_id)
        rows = await self._pool.fetch(
            SQL["api_list_deliveries"], merchant_id, event_id, after_endpoint_id, limit
        )
        return [_delivery(row) for row in rows]

    async def redeliver(
        self, merchant_id: str, event_id: str, *, endpoint_id: str
    ) -> Sequence[Delivery]:
        """Make an event's deliveries due, as if they had never been tried.

        Args:
            merchant_id: Whose event it is.
            event_id: The event.
            endpoint_id: Only to this one; empty for every enabled one that wants its type.

        """
        rows = await self._pool.fetch(
            SQL["api_redeliver_event"], merchant_id, event_id, endpoint_id
        )
        return [_delivery(row) for row in rows]

    async def redeliver_failed(self, merchant_id: str, endpoint_id: str, since: datetime) -> int:
        """Make failed deliveries to an endpoint due, and return how many.

        In batches that stay if a later one fails, and a bounded number of them:
        asking again goes on, for what is due is not failed any more.
        """
        total, after = 0, lowest_id("evt", since)
        for _ in range(self._limits.redelivered_batches_max):
            row = await self._pool.fetchrow(
                SQL["api_redeliver_failed"],
                merchant_id,
                endpoint_id,
                after,
                since,
                self._limits.redelivered_batch,
            )
            assert row is not None  # counts have a row
            total += row["count"]
            if row["count"] < self._limits.redelivered_batch:
                break
            after = row["last_event_id"]
        return total


def _page(rows: Sequence[Row], size: int, *, by: str) -> EventPage:
    """Fold what a list's statement returned.

    A row without a payload is not of the list: it says how far the look went that was cut short.
    """
    found = [row for row in rows if row["payload"] is not None]
    place = None
    if len(found) > size:
        place = found[size - 1][by]
    elif len(found) < len(rows):
        place = rows[-1][by]
    return EventPage(
        payloads=[row["payload"] for row in found[:size]],
        place=None if place is None else str(place),
    )


def _delivery(row: Row) -> Delivery:
    return Delivery(
        event_id=row["event_id"],
        endpoint_id=row["endpoint_id"],
        status=Status(row["status"]),
        attempts=row["attempts"],
        last_status_code=row["last_status_code"],
        last_error=row["last_error"],
        last_attempt_time=row["last_attempt_time"],
        due_time=row["due_time"],
    )
