"""What merchants read of their events and of the deliveries, and asking for them once more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import TYPE_CHECKING

from pkg.grpc.list_rows import page_of, places_of
from pkg.grpc.lists import ANY_TIME, BEGINNING, END, LOOKED_AT_MAX, ListPosition, Page, Period
from pkg.ids import after_all_ids, lowest_id, new_id
from pkg.postgres.sql import Row
from pkg.postgres.tenancy import MerchantPool
from pkg.replies.one_connection import as_pool
from services.events.deliveries import Delivery, KeptAttempt, attempt_of, delivery_of
from services.events.delivery_queue import Status
from services.events.errors import EventNotFoundError
from services.events.event_messages import test_event
from services.events.outbox import SQL

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLimits:
    """How much one request may do."""

    looked_at_max: int = LOOKED_AT_MAX
    redelivered_batch: int = 1_000  # in one statement
    redelivered_batches_max: int = 10  # in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events to list; empty for all."""

    payment_id: str = ""
    type: str = ""
    made: Period = ANY_TIME


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event with its place in the list; `payload` is a serialised PaymentEvent."""

    place: ListPosition
    payload: bytes


class Journal:
    """Every method may raise DependencyUnavailableError.

    Args:
        pool: Of the gateway's database.
        limits: How much at a time.
    """

    def __init__(self, pool: MerchantPool, limits: JournalLimits | None = None) -> None:
        self._pool = pool
        self._limits = limits or JournalLimits()

    def on(self, connection: "PooledConnection") -> "Journal":
        """Return the same inside a transaction of one merchant's."""
        return Journal(MerchantPool(as_pool(connection)), self._limits)

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
        wanted: EventFilter,
        *,
        place: ListPosition | None,
        size: int,
        follow: bool,
    ) -> Page[bytes]:
        """Return a page of serialised paygate.events.v1.PaymentEvent messages.

        Those before that place, the last committed ones first. If the list is followed, those after
        it, the first ones first: none appears later before one of them.
        """
        first, last = await self._bounds(merchant_id, wanted)
        if follow:
            first = first if place is None else max(place, first)
        else:
            last = last if place is None else min(place, last)
        name = "api_follow_events" if follow else "api_list_events"
        rows = await self._between(name, merchant_id, wanted, (first, last), size)
        return page_of(rows, size, itemgetter("payload"))

    async def events_after(
        self, merchant_id: str, wanted: EventFilter, place: ListPosition, *, size: int
    ) -> Page[PlacedEvent]:
        """Return the events that were committed after a place, the first ones first."""
        bounds = (place, END)
        rows = await self._between("api_follow_events", merchant_id, wanted, bounds, size)
        return page_of(rows, size, _placed)

    async def last_place(self, merchant_id: str, payment_id: str = "") -> ListPosition:
        """Return the place of the last event that can be listed, of a payment if one is given."""
        if payment_id:
            statement = SQL["api_last_event_of_payment"]
            row = await self._pool.fetchrow(statement, merchant_id, payment_id)
        else:
            row = await self._pool.fetchrow(SQL["api_last_event"], merchant_id)
        return BEGINNING if row is None else ListPosition(row["commit_order"], row["id"])

    async def _between(
        self,
        name: str,
        merchant_id: str,
        wanted: EventFilter,
        bounds: tuple[ListPosition, ListPosition],
        size: int,
    ) -> "Sequence[Row]":
        """Return what a statement finds between two places."""
        arguments = self._arguments(wanted, *bounds, size)
        if wanted.payment_id:
            name, arguments = f"{name}_of_payment", (*arguments, wanted.payment_id)
        return await self._pool.fetch(SQL[name], merchant_id, *arguments)

    async def _bounds(
        self, merchant_id: str, wanted: EventFilter
    ) -> tuple[ListPosition, ListPosition]:
        """Return two places between which the events of a period are; a payment has few."""
        if wanted.payment_id or not wanted.made.is_bounded:
            return BEGINNING, END
        ids = wanted.made.ids("evt")
        return places_of(await self._pool.fetchrow(SQL["api_events_of_period"], merchant_id, *ids))

    def _arguments(
        self, wanted: EventFilter, first: ListPosition, last: ListPosition, size: int
    ) -> tuple[object, ...]:
        # Where each row that is looked at is wanted, no more of them than the page needs.
        filtered = wanted.made.is_bounded or wanted.type
        return (
            first.commit_order,
            first.id,
            last.commit_order,
            last.id,
            *wanted.made.bounds,
            size + 1,
            self._limits.looked_at_max if filtered else size + 1,
            wanted.type or None,
        )

    async def list_deliveries(
        self, merchant_id: str, event_id: str, *, place: ListPosition | None, size: int
    ) -> Page[Delivery]:
        """Return what became of an event at each endpoint, as the deliveries were made out.

        None appears later before one of them.

        Raises:
            EventNotFoundError: The merchant has no such event, or not any more.
        """
        await self.get_event(merchant_id, event_id)
        after = place or BEGINNING
        rows = await self._pool.fetch(
            SQL["api_list_deliveries"],
            merchant_id,
            event_id,
            after.commit_order,
            after.id,
            size + 1,
        )
        ends = rows[:size][-1:]
        last = ListPosition(ends[0]["commit_order"], ends[0]["endpoint_id"]) if ends else None
        return Page([delivery_of(row) for row in rows[:size]], last, len(rows) > size)

    async def list_deliveries_of_endpoint(
        self,
        merchant_id: str,
        endpoint_id: str,
        status: Status | None,
        *,
        place: ListPosition | None,
        size: int,
    ) -> Page[Delivery]:
        """Return what became of the events that went to an endpoint, the newest event first."""
        asked = (merchant_id, endpoint_id, place.id if place else after_all_ids("evt"))
        if status is Status.FAILED:
            rows = await self._pool.fetch(SQL["api_list_failed_deliveries"], *asked, size + 1)
        else:
            rows = await self._pool.fetch(
                SQL["api_list_deliveries_of_endpoint"],
                *asked,
                status,
                size + 1,
                self._limits.looked_at_max if status else size + 1,
            )
        return page_of(rows, size, delivery_of)

    async def list_attempts(
        self,
        merchant_id: str,
        endpoint_id: str,
        event_id: str,
        *,
        place: ListPosition | None,
        size: int,
    ) -> Page[KeptAttempt]:
        """Return what came of each try to deliver an event to an endpoint, the last one first."""
        rows = await self._pool.fetch(
            SQL["api_list_attempts"],
            merchant_id,
            endpoint_id,
            event_id,
            (place or END).commit_order,
            size + 1,
        )
        attempts = [attempt_of(row) for row in rows[:size]]
        last = ListPosition(attempts[-1].number, "") if attempts else None
        return Page(attempts, last, len(rows) > size)

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
        return [delivery_of(row) for row in rows]

    async def send_test(self, merchant_id: str, endpoint_id: str) -> tuple[bytes, Delivery]:
        """Make a test event for one endpoint; return it, serialised, and its delivery."""
        now: datetime = await self._pool.fetchval(SQL["api_now"], merchant_id)
        event_id = new_id("evt", now)
        payload = test_event(event_id, merchant_id, now)
        row = await self._pool.fetchrow(
            SQL["api_send_test_event"], merchant_id, endpoint_id, event_id, payload, now
        )
        assert row is not None  # what is inserted is returned
        return payload, delivery_of(row)

    async def redeliver_failed(self, merchant_id: str, endpoint_id: str, since: datetime) -> int:
        """Make failed deliveries to an endpoint due, and return how many.

        In batches, and a bounded number of them: asking again goes on, for what is due is not
        failed any more.
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


def _placed(row: Row) -> PlacedEvent:
    return PlacedEvent(ListPosition(row["commit_order"], row["id"]), row["payload"])
