"""The request log in PostgreSQL, to look at; see `logged.RequestLog`."""

from typing import TYPE_CHECKING

from pkg.grpc.list_rows import page_of
from pkg.grpc.lists import END, LOOKED_AT_MAX, ListPosition, Page
from pkg.postgres.tenancy import MerchantPool
from services.payments.adapters.postgres import SQL
from services.payments.logged import LoggedRequest, RequestFilter

if TYPE_CHECKING:
    from asyncpg import Record

# What a page holds of messages, unless the first call has more: as text it is several times that.
PAGE_BYTES_MAX = 128 * 1024
_COLUMNS = slice(len(LoggedRequest._fields))


class PostgresRequests:
    """A merchant's calls in PostgreSQL."""

    def __init__(self, pool: MerchantPool) -> None:
        self._pool = pool

    async def list(
        self, merchant_id: str, wanted: RequestFilter, *, place: ListPosition | None, size: int
    ) -> Page[LoggedRequest]:
        """Return calls that began before a place, the last ones first."""
        place = place or END
        rows = await self._pool.fetch(
            SQL["list_requests"],
            merchant_id,
            place.commit_order,
            place.id,
            size + 1,
            LOOKED_AT_MAX if any(wanted.names) else size + 1,
            wanted.failed,
            wanted.payment_id,
            wanted.idempotency_key,
            wanted.method,
        )
        return _short(page_of(rows, size, _request))

    async def get(self, merchant_id: str, request_id: str) -> LoggedRequest | None:
        """Return the last call with a request id."""
        rows = await self._pool.fetch(SQL["get_request"], merchant_id, request_id)
        return _request(rows[0]) if rows else None


def _short(page: Page[LoggedRequest]) -> Page[LoggedRequest]:
    """Cut a page off where its messages become too much."""
    total = 0
    for count, one in enumerate(page.items):
        total += len(one.request or b"") + len(one.reply or b"")
        if total > PAGE_BYTES_MAX and count:
            last = page.items[count - 1]
            return Page(page.items[:count], ListPosition(last.began, last.id), has_more=True)
    return page


def _request(row: "Record") -> LoggedRequest:
    return LoggedRequest._make(row[_COLUMNS])
