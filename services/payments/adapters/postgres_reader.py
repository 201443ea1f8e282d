"""Looking at payments in PostgreSQL, by a role that sees one merchant's rows at a time."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pkg.groups import Groups
from pkg.ids import lowest_id
from pkg.sql import translated
from pkg.tenancy import MerchantPool
from services.payments.adapters.clock import SandboxClock
from services.payments.adapters.postgres import SQL
from services.payments.adapters.rows import action_of, payment_of
from services.payments.domain.action import Action
from services.payments.domain.payment import Payment
from services.payments.ports import PaymentFilter

_BEGINNING, _END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
# Sorts after every payment's id: their first character after the prefix is at most 7.
_AFTER_ALL_IDS = "pay_8"


class PostgresReader:
    """Payments in PostgreSQL, to look at.

    Args:
        pool: Its connections see the rows of the merchant that they are taken for.
        clock: Told how far the sandbox is ahead, with every payment that is looked at.
        wait_seconds_max: How long a look at a payment may wait for those before it.
    """

    def __init__(
        self, pool: MerchantPool, *, clock: SandboxClock, wait_seconds_max: float = 2.0
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._looks: Groups[tuple[str, str], Payment | None] = Groups(
            self._get_payments, kind=lambda place: place[0], wait_seconds_max=wait_seconds_max
        )

    async def get_payment(self, merchant_id: str, payment_id: str) -> Payment | None:
        """Return a payment; None if there is no such payment."""
        with translated():
            return await self._looks.result_of((merchant_id, payment_id))

    async def _get_payments(self, places: Sequence[tuple[str, str]]) -> list[Payment | None]:
        """Return payments of one merchant."""
        merchant_id, ids = places[0][0], [payment_id for _, payment_id in places]
        found: dict[str, Payment] = {}
        for row in await self._pool.fetch(SQL["get_payments"], merchant_id, ids):
            self._clock.observe(row["clock_ahead"])
            found[row["id"]] = payment_of(row)
        return [found.get(payment_id) for payment_id in ids]

    async def get_payment_with_actions(
        self, merchant_id: str, payment_id: str, *, limit: int
    ) -> tuple[Payment, Sequence[Action]] | None:
        """Return a payment and its actions, oldest first, as they were at one instant."""
        rows = await self._pool.fetch(
            SQL["get_payment_with_actions"], merchant_id, payment_id, limit
        )
        if not rows:
            return None
        self._clock.observe(rows[0]["clock_ahead"])
        return payment_of(rows[0]), [action_of(row, payment_id=payment_id) for row in rows]

    async def list_actions(
        self, merchant_id: str, payment_id: str, *, after_sequence: int, limit: int
    ) -> Sequence[Action] | None:
        """Return a payment's actions, oldest first; None if there is no such payment."""
        rows = await self._pool.fetch(
            SQL["list_actions"], merchant_id, payment_id, after_sequence, limit
        )
        if not rows and after_sequence == 0:
            return None
        return [action_of(row, payment_id=payment_id) for row in rows]

    async def list_payments(
        self, merchant_id: str, wanted: PaymentFilter, *, before_id: str | None, limit: int
    ) -> Sequence[Payment]:
        """Return payments, newest first, from the one before `before_id` on."""
        after, before = wanted.created_after, wanted.created_before
        arguments = (
            merchant_id,
            before_id or _AFTER_ALL_IDS,
            lowest_id("pay", after) if after else "",
            after or _BEGINNING,
            before or _END,
            limit,
        )
        if wanted.reference:
            rows = await self._pool.fetch(
                SQL["list_payments_by_reference"], *arguments, wanted.reference, wanted.status
            )
        elif wanted.status:
            rows = await self._pool.fetch(SQL["list_payments_by_status"], *arguments, wanted.status)
        else:
            rows = await self._pool.fetch(SQL["list_payments"], *arguments)
        return [payment_of(row) for row in rows]
