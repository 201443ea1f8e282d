"""Deliveries and attempts as merchants look at them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pkg.postgres.sql import Row
from services.events.delivery_queue import Status


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
    event_type: str
    payment_id: str
    create_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAttempt:
    """One try to deliver an event, and what came of it."""

    number: int
    create_time: datetime
    duration: timedelta
    status_code: int
    error: str
    reply: str


def delivery_of(row: Row) -> Delivery:
    """Return a delivery of a row that has the event's type and time as well."""
    return Delivery(
        event_id=row["event_id"],
        endpoint_id=row["endpoint_id"],
        status=Status(row["status"]),
        attempts=row["attempts"],
        last_status_code=row["last_status_code"],
        last_error=row["last_error"],
        last_attempt_time=row["last_attempt_time"],
        due_time=row["due_time"],
        event_type=row["event_type"] or "",
        # A test event is about none, and a stream of its own.
        payment_id="" if row["payment_id"] == row["event_id"] else row["payment_id"],
        # An event may be removed while its deliveries are read.
        create_time=row["event_time"] or row["create_time"],
    )


def attempt_of(row: Row) -> KeptAttempt:
    """Return an attempt of its row."""
    return KeptAttempt(
        number=row["number"],
        create_time=row["create_time"],
        duration=row["duration"],
        status_code=row["status_code"],
        error=row["error"],
        reply=row["reply"],
    )
