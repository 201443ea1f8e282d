"""Capture: take all or part of the reserved money."""

from pkg.ids import new_id
from pkg.values import value
from services.payments.domain import error
from services.payments.domain.action import ActionType
from services.payments.domain.money import Money
from services.payments.domain.payment import Payment
from services.payments.ports import Gateway
from services.payments.use_cases.two_commits import Decided, Reply, Request, begin, finish


@value(frozen=True, slots=True, kw_only=True)
class Capture:
    """The request, checked and normalised."""

    merchant_id: str
    payment_id: str
    amount: Money
    final: bool
    reference: str
    idempotency_key: str | None


async def capture(gateway: Gateway, command: Capture) -> Reply:
    """Take the amount and return the serialised CaptureResponse.

    Raises:
        PaymentsError: The request was refused, and nothing was changed.
    """
    request = Request(
        merchant_id=command.merchant_id,
        rpc=ActionType.CAPTURE,
        payment_id=command.payment_id,
        key=command.idempotency_key,
        fields=(
            command.payment_id,
            command.amount.minor_units,
            command.amount.currency,
            command.final,
            command.reference,
        ),
    )

    async def decide(payment: Payment | None) -> Decided:
        if payment is None:
            raise error.PaymentNotFoundError
        now = gateway.clock.now()
        changed = payment.capture(
            command.amount,
            final=command.final,
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
