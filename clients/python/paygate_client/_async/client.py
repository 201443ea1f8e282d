"""The client: payments, and the way to events, endpoints and the sandbox."""

from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Self

import httpx2

from paygate_client import _requests as requests
from paygate_client._async.listing import AsyncListing
from paygate_client._async.sandbox import AsyncSandbox
from paygate_client._async.transport import AsyncTransport
from paygate_client._async.webhooks import AsyncEndpoints, AsyncEvents
from paygate_client._sending import Deadline, backoff, still_pending
from paygate_client.card import Card
from paygate_client.enums import PaymentStatus
from paygate_client.models import Action, Outcome, Payment
from paygate_client.money import Money


class AsyncPaygate:
    """One merchant's way to a gateway.

    Each call that makes or moves something has one idempotency key over all its attempts, of your
    own or a random one. After a lost connection, 429, 503, 504 and `IDEMPOTENCY_IN_FLIGHT` the call
    is made again, until the deadline: it has one effect. All calls raise subclasses of
    `PaygateError`; a decline is no error but an `Outcome`. Keep one client, and share it.

    Args:
        url: The gateway's address, such as `http://127.0.0.1:8080`.
        api_key: The merchant's, `sk_…`.
        deadline_seconds: How long a call may take, with all attempts and pauses. A server that is
            slow in connecting as well as in answering may make the last attempt late, by 10 s.
        transport: What carries HTTP, for certificates or proxies of your own; by default a pool of
            connections with the system's certificates. Proxies of the environment are not used.

    Attributes:
        events: What happened to payments.
        endpoints: Where events are posted.
        sandbox: What tests need; absent in production.

    Raises:
        ValueError: The address is not one of HTTP, or the key is no API key.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        deadline_seconds: float = 30.0,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._transport = AsyncTransport(
            url, api_key, deadline_seconds=deadline_seconds, transport=transport
        )
        self.events = AsyncEvents(self._transport)
        self.endpoints = AsyncEndpoints(self._transport)
        self.sandbox = AsyncSandbox(self._transport)

    async def authorize(
        self,
        amount: Money,
        *,
        card: Card | None = None,
        card_token: str | None = None,
        reference: str = "",
        idempotency_key: str | None = None,
    ) -> Outcome:
        """Ask the customer's bank to reserve an amount, of 1 to 10^12 minor units.

        Args:
            amount: What to reserve.
            card: The card; or give `card_token`.
            card_token: `tok_…` of `Payment.card`, for a card that was used before.
            reference: Your own, of at most 255 characters.
            idempotency_key: Your own, of 1 to 255 visible ASCII characters; kept for 24 hours.

        Raises:
            InvalidRequestError: A field is wrong; `field_violations` says which.
            NotFoundError, RefusedError: The token is unknown, or its card was removed.
        """
        call = requests.authorize(amount, card=card, card_token=card_token, reference=reference)
        return await self._transport.send(call, idempotency_key)

    async def capture(
        self,
        payment: Payment | str,
        amount: Money,
        *,
        final: bool = False,
        reference: str = "",
        idempotency_key: str | None = None,
    ) -> Outcome:
        """Take all or part of what is reserved; again and again until nothing is left.

        Args:
            payment: The payment, or its id.
            amount: At most what is `capturable`, in the payment's currency.
            final: Whether what is left is released: no capture is possible afterwards.
            reference: Your own, of at most 255 characters.
            idempotency_key: As for `authorize`.

        Raises:
            RefusedError: `AMOUNT_EXCEEDS_CAPTURABLE`, `PAYMENT_VOIDED`, `PAYMENT_EXPIRED`, ….
            ConflictError: `ACTION_PENDING`: something else is under way.
            InvalidRequestError: `CURRENCY_MISMATCH`, or a field is wrong.
            NotFoundError: There is no such payment.
        """
        call = requests.capture(payment, amount, final=final, reference=reference)
        return await self._transport.send(call, idempotency_key)

    async def void(
        self,
        payment: Payment | str,
        *,
        remainder: bool = False,
        reference: str = "",
        idempotency_key: str | None = None,
    ) -> Outcome:
        """Cancel before anything was captured; nothing is possible afterwards.

        Args:
            payment: The payment, or its id.
            remainder: To release only what no capture has taken. What was captured stays and can be
                refunded.
            reference: Your own, of at most 255 characters.
            idempotency_key: As for `authorize`.

        Raises:
            RefusedError: `PAYMENT_CAPTURED`; with `remainder` `NOT_CAPTURED`; ….
            ConflictError: `ACTION_PENDING`: something else is under way.
            NotFoundError: There is no such payment.
        """
        call = requests.void(payment, remainder=remainder, reference=reference)
        return await self._transport.send(call, idempotency_key)

    async def refund(
        self,
        payment: Payment | str,
        amount: Money,
        *,
        reference: str = "",
        idempotency_key: str | None = None,
    ) -> Outcome:
        """Give captured money back, in one or several parts; no capture is possible afterwards.

        Args:
            payment: The payment, or its id.
            amount: At most what is `refundable`, in the payment's currency.
            reference: Your own, of at most 255 characters.
            idempotency_key: As for `authorize`.

        Raises:
            RefusedError: `AMOUNT_EXCEEDS_REFUNDABLE`, `NOT_CAPTURED`, ….
            ConflictError: `ACTION_PENDING`: something else is under way.
            InvalidRequestError: `CURRENCY_MISMATCH`, or a field is wrong.
            NotFoundError: There is no such payment.
        """
        call = requests.refund(payment, amount, reference=reference)
        return await self._transport.send(call, idempotency_key)

    async def get_payment(
        self, payment: Payment | str, *, include_actions: bool = False
    ) -> Payment:
        """Return a payment as it is now; with its newest 100 actions, oldest first, if asked for.

        Raises:
            NotFoundError: There is no such payment.
        """
        call = requests.get_payment(payment, include_actions=include_actions)
        return await self._transport.send(call)

    async def wait_until_final(
        self, payment: Payment | str, *, seconds_max: float = 30.0
    ) -> Payment:
        """Return a payment, with its actions, once neither it nor one of them is PENDING.

        While the bank is up that takes 5 seconds at most. Of the actions the newest 100 count.

        Raises:
            StillPendingError: It takes longer than `seconds_max`.
            NotFoundError: There is no such payment.
        """
        deadline, number = Deadline(seconds_max), 1
        while True:
            found = await self.get_payment(payment, include_actions=True)
            if found.is_final:
                return found
            pause = backoff(number)
            if pause >= deadline.seconds_left:
                raise still_pending()
            await self._transport.pause(pause)
            number += 1

    def list_payments(
        self,
        *,
        status: PaymentStatus | None = None,
        reference: str | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        follow: bool = False,
        token: str = "",
        poll_seconds: float = 1.0,
    ) -> AsyncListing[Payment]:
        """List payments, newest first; or, to `follow` them, oldest first and for ever.

        Args:
            status: Only payments with this status; not together with `follow`.
            reference: Only payments with exactly this reference.
            created_after: Only payments made at this time, which has a zone, or later.
            created_before: Only payments made before this time, which has a zone.
            follow: Whether to go on with what comes later: each payment once, and none is missed.
            token: `Page.next_token` to go on from, with the same filters.
            poll_seconds: How long to wait for more, when all was read.
        """
        ask = partial(
            requests.list_payments,
            status=status,
            reference=reference,
            created_after=created_after,
            created_before=created_before,
            follow=follow,
        )
        poll = poll_seconds if follow else None
        return AsyncListing(
            self._transport, lambda at: ask(token=at), token=token, poll_seconds=poll
        )

    def list_actions(
        self,
        payment: Payment | str,
        *,
        follow: bool = False,
        token: str = "",
        poll_seconds: float = 1.0,
    ) -> AsyncListing[Action]:
        """List what was done to a payment, oldest first; arguments are as for `list_payments`."""
        poll = poll_seconds if follow else None
        return AsyncListing(
            self._transport,
            lambda at: requests.list_actions(payment, token=at, follow=follow),
            token=token,
            poll_seconds=poll,
        )

    async def delete_card(self, card_token: str) -> None:
        """Remove a card's number from the vault for good; once more is no error.

        Payments that were made with it can still be captured, voided and refunded.

        Raises:
            NotFoundError: There is no such token.
        """
        await self._transport.send(requests.delete_card(card_token))

    async def aclose(self) -> None:
        """Close the connections; calls are not possible afterwards."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.aclose()
