"""Deliveries in PostgreSQL: claiming what is due, and recording what became of it."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from enum import StrEnum

from pkg.postgres.sql import Pool, Row, translated
from pkg.values import value
from services.events.outbox import SQL


class Status(StrEnum):
    """How far a delivery has come."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


@value(frozen=True, slots=True)
class Endpoint:
    """What tells an endpoint from every other."""

    merchant_id: str
    id: str


@value(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery that this process may attempt until `lease_time`, in real time.

    `payload` is a serialised paygate.events.v1.PaymentEvent, or None if the event was removed.
    `secrets` are the endpoint's, sealed, by their ids, the newest first.
    """

    endpoint: Endpoint
    event_id: str
    attempts: int
    lease_time: datetime
    url: str
    payload: bytes | None
    secrets: tuple[tuple[str, bytes], ...]


@value(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What became of one attempt.

    `delay` is until the next one, exactly when the status is PENDING. `status_code` is 0 when there
    was no answer; `error` is one of a fixed set of words, and empty when nothing went wrong. `gone`
    disables the endpoint. `begin_time` is real, and None where there was nothing to post; `reply`
    is the start of the answer's body, as text that can be shown. `inbox` is what the sandbox's
    inbox is to keep, headers and body.
    """

    claimed: Claimed
    status: Status
    status_code: int = 0
    error: str = ""
    delay: timedelta | None = None
    gone: bool = False
    begin_time: datetime | None = None
    seconds: float = 0.0
    reply: str = ""
    inbox: tuple[Mapping[str, str], bytes] | None = None


@value(frozen=True, slots=True, kw_only=True)
class Free:
    """How many deliveries may be claimed: in all, and of those that are not named here."""

    in_all: int
    per_merchant: int
    per_endpoint: int
    merchants: Mapping[str, int] = field(default_factory=dict)
    endpoints: Mapping[Endpoint, int] = field(default_factory=dict)


class DeliveryQueue:
    """Every method may raise DependencyUnavailableError."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, free: Free, *, limit: int, lease: timedelta) -> Sequence[Claimed]:
        """Lease deliveries that are due, heads of their streams only.

        Args:
            free: Whose deliveries may be claimed, and how many.
            limit: How many at most, in one statement.
            lease: For how long, in real time; longer than an attempt can take.
        """
        with translated():
            rows = await self._pool.fetch(
                SQL["claim_deliveries"],
                min(limit, free.in_all),
                free.per_endpoint,
                lease,
                _by_merchant(free.endpoints),
                free.per_merchant,
                json.dumps(dict(free.merchants)),
            )
        return [claimed for row in rows for claimed in _claimed(row)]

    async def record(self, attempts: Sequence[Attempt]) -> None:
        """Record what became of attempts whose leases still hold; the others never happened."""
        columns = zip(*map(_columns, attempts), strict=True)
        with translated():
            await self._pool.execute(SQL["record_attempts"], *columns)

    async def release(self, claims: Sequence[Claimed]) -> None:
        """Give back claims that nothing was attempted of: others may have them at once."""
        columns = zip(*map(_place, claims), strict=True)
        with translated():
            await self._pool.execute(SQL["release_claims"], *columns)

    async def fail_unwanted(self, *, limit: int) -> int:
        """Give up deliveries to endpoints that are disabled or gone; return how many."""
        with translated():
            rows = await self._pool.fetch(SQL["fail_unwanted"], limit)  # one for each shard
        return sum(row["count"] for row in rows)


def _claimed(row: Row) -> Iterator[Claimed]:
    """Take apart what was claimed for one endpoint."""
    endpoint = Endpoint(row["merchant_id"], row["endpoint_id"])
    secrets = tuple(zip(row["secret_ids"], row["secrets"], strict=True))
    lease_time, url = row["lease_time"], row["url"]
    for event_id, attempts, payload in zip(
        row["event_ids"], row["attempts"], row["payloads"], strict=True
    ):
        yield Claimed(
            endpoint=endpoint,
            event_id=event_id,
            attempts=attempts,
            lease_time=lease_time,
            url=url,
            payload=payload,
            secrets=secrets,
        )


def _by_merchant(slots: Mapping[Endpoint, int]) -> str:
    merchants: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for endpoint, free in slots.items():
        merchants[endpoint.merchant_id][endpoint.id] = free
    return json.dumps(merchants)


def _place(claimed: Claimed) -> tuple[object, ...]:
    endpoint = claimed.endpoint
    return endpoint.merchant_id, endpoint.id, claimed.event_id, claimed.lease_time


def _columns(attempt: Attempt) -> tuple[object, ...]:
    return (
        *_place(attempt.claimed),
        attempt.status,
        attempt.status_code,
        attempt.error,
        attempt.delay,
        attempt.gone,
        attempt.begin_time,
        timedelta(seconds=attempt.seconds),
        attempt.reply,
    )
