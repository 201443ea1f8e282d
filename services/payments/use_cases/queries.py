"""Looking at payments: one, its history, or many by the page."""

from collections.abc import Sequence

from pkg.grpc.paging import PageTokens
from services.payments.domain import errors
from services.payments.domain.views import ActionView, PaymentView
from services.payments.ports import PaymentFilter, Reader

# The newest; whoever has more actions of one payment reads them by the page.
ACTIONS_WITH_PAYMENT_MAX = 100


def payments_scope(wanted: PaymentFilter, *, follow: bool) -> tuple[str, ...]:
    """Return what the page tokens of a list of payments are good for."""
    order = "oldest first" if follow else "newest first"
    return ("payments", order, wanted.status or "", wanted.reference, *wanted.made.names)


class Queries:
    """Reads of one merchant's payments."""

    def __init__(self, reader: Reader, tokens: PageTokens) -> None:
        self._reader = reader
        self._tokens = tokens

    async def get_payment(self, merchant_id: str, payment_id: str) -> PaymentView:
        """Return a payment.

        Raises:
            PaymentNotFoundError: The merchant has no such payment.
        """
        payment = await self._reader.get_payment(merchant_id, payment_id)
        if payment is None:
            raise errors.PaymentNotFoundError
        return payment

    async def get_payment_with_actions(
        self, merchant_id: str, payment_id: str
    ) -> tuple[PaymentView, Sequence[ActionView]]:
        """Return a payment with the newest part of its history, oldest first.

        Raises:
            PaymentNotFoundError: The merchant has no such payment.
        """
        found = await self._reader.get_payment_with_actions(
            merchant_id, payment_id, limit=ACTIONS_WITH_PAYMENT_MAX
        )
        if found is None:
            raise errors.PaymentNotFoundError
        return found

    async def list_actions(
        self, merchant_id: str, payment_id: str, *, size: int, token: str, follow: bool
    ) -> tuple[Sequence[ActionView], str]:
        """Return a page of a payment's history, oldest first, and the token of the next page.

        Sequences are given one after the other: none appears before one that was read.

        Raises:
            PaymentNotFoundError: The merchant has no such payment.
            InvalidPageTokenError: The token is not of this list.
        """
        scope = ("actions", payment_id)
        after = int(self._tokens.open(merchant_id, scope, token) or 0)
        actions = await self._reader.list_actions(
            merchant_id, payment_id, after_sequence=after, limit=size + 1
        )
        if actions is None:
            raise errors.PaymentNotFoundError
        page = actions[:size]
        if len(actions) <= size and not follow:
            return page, ""
        place = page[-1].sequence if page else after
        return page, self._tokens.seal(merchant_id, scope, str(place))

    async def list_payments(
        self, merchant_id: str, wanted: PaymentFilter, *, size: int, token: str, follow: bool
    ) -> tuple[Sequence[PaymentView], str]:
        """Return a page of payments and the token of the next page.

        Newest first; or to be followed: oldest first, and there is always a next page.

        Raises:
            InvalidPageTokenError: The token is not of this list with these filters.
        """
        scope = payments_scope(wanted, follow=follow)
        place = self._tokens.open_place(merchant_id, scope, token)
        listed = self._reader.follow_payments if follow else self._reader.list_payments
        page = await listed(merchant_id, wanted, place=place, size=size)
        return page.items, self._tokens.after(merchant_id, scope, page, place, follow=follow)
