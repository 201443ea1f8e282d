"""Looking at payments in PostgreSQL, by a role that sees one merchant's rows at a time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pkg.grpc.list_rows import page_of, places_of
from pkg.grpc.lists import BEGINNING, END, LOOKED_AT_MAX, ListPosition, Page, Period
from pkg.postgres.shards.lanes import Groups, groups_on
from pkg.postgres.sql import translated
from pkg.postgres.tenancy import MerchantPool
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.postgres import SQL
from services.payments.domain.views import ActionView, PaymentView
from services.payments.ports import PaymentFilter

if TYPE_CHECKING:
    from asyncpg import Record

# The columns that come first, and those that may come behind them.
_PAYMENT = slice(len(PaymentView._fields))
_ACTION = slice(len(ActionView._fields))
_ACTION_BEHIND = slice(_PAYMENT.stop, _PAYMENT.stop + _ACTION.stop)


class PostgresReader:
    """Payments in PostgreSQL, to look at.

    Args:
        pool: Its connections see the rows of the merchant that they are taken for.
        clocks: Told how far a merchant's is ahead, with every payment that is looked at.
        wait_seconds_max: How long a look at a payment may wait for those before it.
    """

    def __init__(
        self, pool: MerchantPool, *, clocks: SandboxClocks, wait_seconds_max: float = 2.0
    ) -> None:
        self._pool = pool
        self._clocks = clocks
        self._looks: Groups[tuple[str, str], PaymentView | None] = groups_on(
            pool,
            self._get_payments,
            merchant_of=lambda place: place[0],
            kind=lambda place: place[0],
            wait_seconds_max=wait_seconds_max,
        )

    async def get_payment(self, merchant_id: str, payment_id: str) -> PaymentView | None:
        """Return a payment; None if there is no such payment."""
        with translated():
            return await self._looks.result_of((merchant_id, payment_id))

    async def _get_payments(self, places: Sequence[tuple[str, str]]) -> list[PaymentView | None]:
        """Return payments of one merchant."""
        merchant_id, ids = places[0][0], [payment_id for _, payment_id in places]
        found: dict[str, PaymentView] = {}
        for row in await self._pool.fetch(SQL["get_payments"], merchant_id, ids):
            self._clocks.observe(merchant_id, row["clock"])
            found[row["id"]] = _payment(row)
        return [found.get(payment_id) for payment_id in ids]

    async def get_payment_with_actions(
        self, merchant_id: str, payment_id: str, *, limit: int
    ) -> tuple[PaymentView, Sequence[ActionView]] | None:
        """Return a payment and its newest actions, oldest first, as they were at one instant."""
        rows = await self._pool.fetch(
            SQL["get_payment_with_actions"], merchant_id, payment_id, limit
        )
        if not rows:
            return None
        self._clocks.observe(merchant_id, rows[0]["clock"])
        actions = [ActionView._make(row[_ACTION_BEHIND]) for row in reversed(rows)]
        return _payment(rows[0]), actions

    async def list_actions(
        self, merchant_id: str, payment_id: str, *, after_sequence: int, limit: int
    ) -> Sequence[ActionView] | None:
        """Return a payment's actions, oldest first; None if there is no such payment."""
        rows = await self._pool.fetch(
            SQL["list_actions"], merchant_id, payment_id, after_sequence, limit
        )
        if not rows and after_sequence == 0:
            return None
        return [ActionView._make(row[_ACTION]) for row in rows]

    async def list_payments(
        self, merchant_id: str, wanted: PaymentFilter, *, place: ListPosition | None, size: int
    ) -> Page[PaymentView]:
        """Return payments that were committed before that place, the last ones first."""
        first, last = await self._bounds(merchant_id, wanted.made)
        place = last if place is None else min(place, last)
        filters: tuple[str | None, ...] = ()
        if wanted.reference:
            statement, filters = "list_payments_by_reference", (wanted.reference, wanted.status)
        elif wanted.status:
            statement, filters = "list_payments_by_status", (wanted.status,)
        else:
            statement = "list_payments"
        return await self._page(statement, merchant_id, (first, place), wanted, size, filters)

    async def follow_payments(
        self, merchant_id: str, wanted: PaymentFilter, *, place: ListPosition | None, size: int
    ) -> Page[PaymentView]:
        """Return payments that were committed after that place, the first ones first."""
        assert wanted.status is None
        first, last = await self._bounds(merchant_id, wanted.made)
        place = first if place is None else max(place, first)
        statement = "follow_payments"
        filters: tuple[str | None, ...] = ()
        if wanted.reference:
            statement, filters = "follow_payments_by_reference", (wanted.reference,)
        return await self._page(statement, merchant_id, (place, last), wanted, size, filters)

    async def _bounds(self, merchant_id: str, made: Period) -> tuple[ListPosition, ListPosition]:
        """Return two places between which the payments of a period are."""
        if not made.is_bounded:
            return BEGINNING, END
        row = await self._pool.fetchrow(SQL["payments_of_period"], merchant_id, *made.ids("pay"))
        return places_of(row)

    async def _page(
        self,
        statement: str,
        merchant_id: str,
        between: tuple[ListPosition, ListPosition],
        wanted: PaymentFilter,
        size: int,
        filters: tuple[str | None, ...],
    ) -> Page[PaymentView]:
        (first, last), (after, before) = between, wanted.made.bounds
        # Where each row that is looked at is wanted, no more of them than the page needs.
        filtered = wanted.made.is_bounded or bool(wanted.reference and wanted.status)
        rows = await self._pool.fetch(
            SQL[statement],
            merchant_id,
            first.commit_order,
            first.id,
            last.commit_order,
            last.id,
            after,
            before,
            size + 1,
            LOOKED_AT_MAX if filtered else size + 1,
            *filters,
        )
        if rows:
            self._clocks.observe(merchant_id, rows[0]["clock"])
        return page_of(rows, size, _payment)


def _payment(row: "Record") -> PaymentView:
    return PaymentView._make(row[_PAYMENT])
