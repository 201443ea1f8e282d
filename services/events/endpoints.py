"""Webhook endpoints and their signing secrets in PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from pkg.ids import after_all_ids, new_id
from pkg.postgres.sql import Row
from pkg.postgres.tenancy import MerchantPool
from pkg.replies.one_connection import as_pool
from services.events.errors import (
    WebhookEndpointDisabledError,
    WebhookEndpointLimitError,
    WebhookEndpointNotFoundError,
)
from services.events.outbox import SQL
from services.events.sealing import SecretBox, new_secret

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection

# A fan-out writes a row for each, and a reply lists them all.
ENDPOINTS_MAX = 20
SECRETS_MAX = 3  # that sign; each is a signature in the headers of every delivery


class EndpointStatus(StrEnum):
    """Whether events are posted."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """A place of a merchant's to which events are posted. No `event_types` means all of them."""

    id: str
    url: str
    event_types: Sequence[str]
    status: EndpointStatus
    description: str
    create_time: datetime
    update_time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEndpoint:
    """What a merchant wants to have made."""

    url: str
    event_types: Sequence[str]
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointChange:
    """What a merchant wants to have changed; None leaves a field as it is."""

    url: str | None = None
    event_types: Sequence[str] | None = None
    status: EndpointStatus | None = None
    description: str | None = None


class Endpoints:
    """Every method may raise DependencyUnavailableError.

    Args:
        pool: Of the gateway's database.
        box: Seals signing secrets; what is told of one is told here, once, and stored nowhere.
    """

    def __init__(self, pool: MerchantPool, box: SecretBox) -> None:
        self._pool = pool
        self._box = box

    def on(self, connection: "PooledConnection") -> "Endpoints":
        """Return the same inside a transaction of one merchant's."""
        return Endpoints(MerchantPool(as_pool(connection)), self._box)

    async def create(self, merchant_id: str, wanted: NewEndpoint) -> tuple[WebhookEndpoint, bytes]:
        """Make an endpoint; return it and its secret.

        Raises:
            WebhookEndpointLimitError: The merchant has `ENDPOINTS_MAX` already.
        """
        endpoint_id = new_id("we", datetime.now(UTC))
        secret, secret_id, sealed = self._new_secret(merchant_id, endpoint_id)
        async with self._transaction(merchant_id) as connection:
            # First, so that of two at once the second counts what the first has made.
            await connection.execute(SQL["api_lock_merchant"], merchant_id)
            row = await connection.fetchrow(
                SQL["api_create_endpoint"],
                merchant_id,
                endpoint_id,
                wanted.url,
                list(wanted.event_types),
                wanted.description,
                secret_id,
                sealed,
                ENDPOINTS_MAX,
            )
        if row is None:
            raise WebhookEndpointLimitError
        return _endpoint(row), secret

    async def get(self, merchant_id: str, endpoint_id: str) -> WebhookEndpoint:
        """Return an endpoint.

        Raises:
            WebhookEndpointNotFoundError: The merchant has no such endpoint.
        """
        row = await self._pool.fetchrow(SQL["api_get_endpoint"], merchant_id, endpoint_id)
        return _found(row)

    async def enabled(self, merchant_id: str, endpoint_id: str) -> WebhookEndpoint:
        """Return an endpoint that events are posted to.

        Raises:
            WebhookEndpointNotFoundError: The merchant has no such endpoint.
            WebhookEndpointDisabledError: None are.
        """
        endpoint = await self.get(merchant_id, endpoint_id)
        if endpoint.status is not EndpointStatus.ENABLED:
            raise WebhookEndpointDisabledError
        return endpoint

    async def list(
        self, merchant_id: str, *, before_id: str | None, limit: int
    ) -> Sequence[WebhookEndpoint]:
        """Return endpoints, newest first, from the one before `before_id` on."""
        rows = await self._pool.fetch(
            SQL["api_list_endpoints"], merchant_id, before_id or after_all_ids("we"), limit
        )
        return [_endpoint(row) for row in rows]

    async def update(
        self, merchant_id: str, endpoint_id: str, change: EndpointChange
    ) -> WebhookEndpoint:
        """Change an endpoint; return it as it is then.

        Raises:
            WebhookEndpointNotFoundError: The merchant has no such endpoint.
        """
        types = None if change.event_types is None else list(change.event_types)
        row = await self._pool.fetchrow(
            SQL["api_update_endpoint"],
            merchant_id,
            endpoint_id,
            change.url,
            types,
            change.status,
            change.description,
        )
        return _found(row)

    async def delete(self, merchant_id: str, endpoint_id: str) -> None:
        """Remove an endpoint and its secrets.

        What is on its way is given up by the deliverers, in batches: there may be any number of it.

        Raises:
            WebhookEndpointNotFoundError: The merchant has no such endpoint.
        """
        row = await self._pool.fetchrow(SQL["api_delete_endpoint"], merchant_id, endpoint_id)
        _found(row)

    async def rotate(
        self, merchant_id: str, endpoint_id: str, *, overlap: timedelta
    ) -> tuple[WebhookEndpoint, bytes]:
        """Make a new secret; return the endpoint and it. Older ones sign for `overlap` at most.

        Raises:
            WebhookEndpointNotFoundError: The merchant has no such endpoint.
        """
        secret, secret_id, sealed = self._new_secret(merchant_id, endpoint_id)
        async with self._transaction(merchant_id) as connection:
            # First, so that of two at once the second ends what the first has made.
            row = await connection.fetchrow(SQL["api_lock_endpoint"], merchant_id, endpoint_id)
            endpoint = _found(row)
            await connection.execute(
                SQL["api_rotate_secret"],
                merchant_id,
                endpoint_id,
                secret_id,
                sealed,
                overlap,
                SECRETS_MAX,
            )
        return endpoint, secret

    def _new_secret(self, merchant_id: str, endpoint_id: str) -> tuple[bytes, str, bytes]:
        """Return a secret, its id, and what the database holds of it."""
        secret, secret_id = new_secret(), new_id("whs", datetime.now(UTC))
        sealed = self._box.seal(
            secret, merchant_id=merchant_id, endpoint_id=endpoint_id, secret_id=secret_id
        )
        return secret, secret_id, sealed

    @asynccontextmanager
    async def _transaction(self, merchant_id: str) -> "AsyncIterator[PooledConnection]":
        async with self._pool.connection(merchant_id) as connection, connection.transaction():
            yield connection


def _found(row: Row | None) -> WebhookEndpoint:
    if row is None:
        raise WebhookEndpointNotFoundError
    return _endpoint(row)


def _endpoint(row: Row) -> WebhookEndpoint:
    return WebhookEndpoint(
        id=row["id"],
        url=row["url"],
        event_types=row["event_types"],
        status=EndpointStatus(row["status"]),
        description=row["description"],
        create_time=row["create_time"],
        update_time=row["update_time"],
    )
