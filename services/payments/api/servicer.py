"""The RPCs: read the request, run the use case, return the response. Nothing else."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, TypeAlias

import structlog

from paygate.payments.v1 import payment_service_pb2 as pb
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceServicer
from pkg.errors import ValidationFailedError
from pkg.grpc.auth import Authenticator
from pkg.grpc.guard import (
    Context,
    add_reply_header,
    current_call,
    metadata_values,
    note_payment,
)
from pkg.grpc.shares import fill_in_pieces
from services.payments.api import requests
from services.payments.api.codec import action_fields, payment_fields, payment_id_of
from services.payments.api.refusals import is_by_time
from services.payments.domain.event import NOBODY, Origin
from services.payments.ports import Ports, Store
from services.payments.use_cases.authorize import authorize
from services.payments.use_cases.cards import delete_card
from services.payments.use_cases.carry_out import carry_out
from services.payments.use_cases.queries import Queries
from services.payments.use_cases.two_commits import Reply

logger = structlog.get_logger()

# The bytes of a response; the generated base class knows only of the message.
Bytes: TypeAlias = Any


class PaymentServicer(PaymentServiceServicer):
    """paygate.payments.v1.PaymentService."""

    def __init__(self, ports: Ports, queries: Queries, authenticator: Authenticator) -> None:
        self._ports = ports
        self._queries = queries
        self._authenticator = authenticator

    async def Authorize(  # noqa: N802
        self, request: pb.AuthorizeRequest, context: Context
    ) -> Bytes:
        """Ask the customer's bank to reserve an amount."""
        caller = await self._authenticator.caller(context)
        merchant_id, keys = caller.merchant_id, _keys(context)

        async def attempt() -> Reply:
            command = requests.authorize_of(
                request,
                merchant_id=merchant_id,
                key_id=caller.key_id,
                keys=keys,
                now=self._ports.clock.now(merchant_id),
            )
            return await authorize(self._ports, command)

        return await self._run(by_its_clock(self._ports.store, merchant_id, attempt))

    async def Capture(  # noqa: N802
        self, request: pb.CaptureRequest, context: Context
    ) -> Bytes:
        """Take all or part of the reserved money."""
        merchant_id = await self._authenticator.merchant_id(context)
        command = requests.capture_of(request, merchant_id=merchant_id, keys=_keys(context))
        return await self._run(carry_out(self._ports, command))

    async def Void(  # noqa: N802
        self, request: pb.VoidRequest, context: Context
    ) -> Bytes:
        """Cancel before anything was captured, or release what no capture has taken."""
        merchant_id = await self._authenticator.merchant_id(context)
        command = requests.void_of(request, merchant_id=merchant_id, keys=_keys(context))
        return await self._run(carry_out(self._ports, command))

    async def Refund(  # noqa: N802
        self, request: pb.RefundRequest, context: Context
    ) -> Bytes:
        """Give captured money back."""
        merchant_id = await self._authenticator.merchant_id(context)
        command = requests.refund_of(request, merchant_id=merchant_id, keys=_keys(context))
        return await self._run(carry_out(self._ports, command))

    async def GetPayment(  # noqa: N802
        self, request: pb.GetPaymentRequest, context: Context
    ) -> pb.GetPaymentResponse:
        """Return one payment."""
        if request.include_actions:
            return await self._with_actions(request, context)
        merchant_id = await self._authenticator.merchant_id(context)
        payment = await self._queries.get_payment(merchant_id, requests.payment_id_of(request))
        now = self._ports.clock.now(merchant_id)
        return pb.GetPaymentResponse(payment=payment_fields(payment, now))

    async def _with_actions(
        self, request: pb.GetPaymentRequest, context: Context
    ) -> pb.GetPaymentResponse:
        async with self._authenticator.reading(context) as merchant_id:
            payment, actions = await self._queries.get_payment_with_actions(
                merchant_id, requests.payment_id_of(request)
            )
            fields = payment_fields(payment, self._ports.clock.now(merchant_id))
            reply = pb.GetPaymentResponse(payment=fields)
            await fill_in_pieces(reply.payment.actions, actions, action_fields)
            return reply

    async def ListPaymentActions(  # noqa: N802
        self, request: pb.ListPaymentActionsRequest, context: Context
    ) -> pb.ListPaymentActionsResponse:
        """Return a page of one payment's history."""
        async with self._authenticator.reading(context) as merchant_id:
            payment_id, size = requests.actions_page_of(request)
            actions, token = await self._queries.list_actions(
                merchant_id, payment_id, size=size, token=request.page_token, follow=request.follow
            )
            reply = pb.ListPaymentActionsResponse(next_page_token=token)
            await fill_in_pieces(reply.actions, actions, action_fields)
            return reply

    async def ListPayments(  # noqa: N802
        self, request: pb.ListPaymentsRequest, context: Context
    ) -> pb.ListPaymentsResponse:
        """Return a page of the merchant's payments."""
        async with self._authenticator.reading(context) as merchant_id:
            wanted, size = requests.filter_of(request)
            payments, token = await self._queries.list_payments(
                merchant_id, wanted, size=size, token=request.page_token, follow=request.follow
            )
            reply = pb.ListPaymentsResponse(next_page_token=token)
            fields = partial(payment_fields, now=self._ports.clock.now(merchant_id))
            await fill_in_pieces(reply.payments, payments, fields)
            return reply

    async def DeleteCard(  # noqa: N802
        self, request: pb.DeleteCardRequest, context: Context
    ) -> pb.DeleteCardResponse:
        """Remove a card from the vault."""
        merchant_id = await self._authenticator.merchant_id(context)
        await delete_card(self._ports, merchant_id, requests.card_token_of(request))
        return pb.DeleteCardResponse()

    async def _run(self, use_case: Coroutine[Any, Any, Reply]) -> bytes:
        reply = await use_case
        if reply.replayed:
            add_reply_header("idempotent-replayed", "true")
        note_payment(payment_id_of(reply.body))
        return reply.body


async def by_its_clock(
    store: Store, merchant_id: str, attempt: Callable[[], Awaitable[Reply]]
) -> Reply:
    """Try; and once more if the merchant's clock refused it, and was turned in another process."""
    try:
        return await attempt()
    except ValidationFailedError as problem:
        if not is_by_time(problem) or not await store.read_clock(merchant_id):
            raise
    return await attempt()


def origin() -> Origin:
    """Return the request that this code runs for; see `ports.Ports`."""
    call = current_call()
    return Origin(call.request_id, call.traceparent) if call else NOBODY


def _keys(context: Context) -> list[str]:
    return metadata_values(context, "idempotency-key")
