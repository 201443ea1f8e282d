"""Authorize: ask the customer's bank to reserve an amount."""

from dataclasses import dataclass

from pkg.ids import new_id
from pkg.money import Money
from services.payments.domain.action import Action, ActionType
from services.payments.domain.payment import Card, Payment
from services.payments.domain.payment import authorize as decide_authorize
from services.payments.ports import CardDetails, Gateway
from services.payments.steps import Reply, Request, begin, finish


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorize:
    """The request, checked and normalised."""

    merchant_id: str
    card: CardDetails
    amount: Money
    reference: str
    idempotency_key: str | None


async def authorize(gateway: Gateway, command: Authorize) -> Reply:
    """Reserve the amount and return the serialised AuthorizeResponse.

    Raises:
        PaymentsError: The request was refused, and nothing was changed.
    """
    details = command.card
    request = Request(
        merchant_id=command.merchant_id,
        rpc=ActionType.AUTHORIZE,
        key=command.idempotency_key,
        fields=(
            details.pan.reveal(),
            details.expiry.month,
            details.expiry.year,
            command.amount.minor_units,
            command.amount.currency,
            command.reference,
        ),
    )

    def decide(_: Payment | None) -> tuple[Payment, Action]:
        now = gateway.clock.now()
        card = Card(
            brand=details.pan.brand,
            last4=details.pan.last4,
            expiry=details.expiry,
            fingerprint=gateway.hasher.card(command.merchant_id, details.pan),
        )
        return decide_authorize(
            command.amount,
            card,
            merchant_id=command.merchant_id,
            payment_id=new_id("pay", now),
            action_id=new_id("act", now),
            reference=command.reference,
            now=now,
            expire_time=now + gateway.limits.authorization_lifetime,
        )

    begun = await begin(gateway, request, decide)
    if isinstance(begun, Reply):
        return begun
    answer = await gateway.acquirer.authorize(begun.action.id, details, command.amount)
    return await finish(gateway, begun, answer)
