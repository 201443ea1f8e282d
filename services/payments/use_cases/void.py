"""Void: cancel before anything was captured, or release what no capture has taken."""

from pkg.ids import new_id
from pkg.values import value
from services.payments.domain import error
from services.payments.domain.action import ActionType
from services.payments.domain.payment import Payment
from services.payments.ports import Gateway
from services.payments.use_cases.two_commits import Decided, Reply, Request, begin, finish


@value(frozen=True, slots=True, kw_only=True)
class Void:
    """The request, checked and normalised. `remainder`: only what no capture has taken."""

    merchant_id: str
    payment_id: str
    remainder: bool
    reference: str
    idempotency_key: str | None


async def void(gateway: Gateway, command: Void) -> Reply:
    """Cancel and return the serialised VoidResponse.

    Raises:
        PaymentsError: The request was refused, and nothing was changed.
    """
    request = Request(
        merchant_id=command.merchant_id,
        rpc=ActionType.VOID,
        payment_id=command.payment_id,
        key=command.idempotency_key,
        # As it was before there was a choice: a key may be older than that.
        fields=(
            command.payment_id,
            command.reference,
            *(("remainder",) if command.remainder else ()),
        ),
    )

    async def decide(payment: Payment | None) -> Decided:
        if payment is None:
            raise error.PaymentNotFoundError
        now = gateway.clock.now()
        begin_void = payment.void_remainder if command.remainder else payment.void
        changed = begin_void(
            action_id=new_id("act", now),
            reference=command.reference,
            now=now,
        )
        return Decided(*changed)

    begun = await begin(gateway, request, decide)
    if isinstance(begun, Reply):
        return begun
    answer = await gateway.acquirer.perform(begun.payment.authorization_id, begun.action)
    return await finish(gateway, begun, answer)
