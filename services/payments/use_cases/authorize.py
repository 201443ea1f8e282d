"""Authorize: ask the customer's bank to reserve an amount."""

from collections.abc import Callable
from datetime import datetime

from pkg.errors import ValidationFailedError
from pkg.ids import new_id
from pkg.values import value
from services.payments.domain.action import ActionType
from services.payments.domain.authorize import authorize as decide_authorize
from services.payments.domain.error import (
    OF_AN_EXPIRED_CARD,
    CardTokenNotFoundError,
    CardTokenRemovedError,
)
from services.payments.domain.money import Money
from services.payments.domain.outcome import DeclineCode, Declined
from services.payments.domain.payment import Card, Payment
from services.payments.ports import CardDetails, Gateway, Removal, SealedCard
from services.payments.use_cases.two_commits import (
    Decided,
    Reply,
    Request,
    begin,
    checked,
    conclude,
)

# Declines that say nothing of the card, nor of who shows it.
_NO_FAULT = frozenset({DeclineCode.PROCESSING_ERROR, DeclineCode.ISSUER_UNAVAILABLE})


@value(frozen=True, slots=True, kw_only=True)
class Authorize:
    """The request, checked and normalised. `card` is a card's details, or the token of one.

    `key_id` is of the API key that it came with.
    """

    merchant_id: str
    key_id: str = ""
    card: CardDetails | str
    amount: Money
    reference: str
    idempotency_key: str | None


async def authorize(gateway: Gateway, command: Authorize) -> Reply:
    """Reserve the amount and return the serialised AuthorizeResponse.

    Raises:
        PaymentsError: The request was refused, and nothing was changed. Among others
            TooManyDeclinesError, before the bank is asked once more.
        DependencyUnavailableError: The vault takes no card now; nothing was changed.
    """
    request = _request_of(command)
    details: CardDetails | None = None
    give_back: Callable[[], None] | None = None

    async def decide(_: Payment | None) -> Decided:
        nonlocal details, give_back
        now = gateway.clock.now()
        details = await _details(gateway, command, now)
        fingerprint = gateway.hasher.card(command.merchant_id, details.pan)
        if give_back is None:  # it may be decided again
            give_back = gateway.attempt(command.merchant_id, command.key_id, fingerprint)
        token, sealed = await _kept(gateway, command, now)
        card = Card(
            brand=details.pan.brand,
            last4=details.pan.last4,
            expiry=details.expiry,
            fingerprint=fingerprint,
            token=token,
        )
        begun = decide_authorize(
            command.amount,
            card,
            merchant_id=command.merchant_id,
            payment_id=new_id("pay", now),
            action_id=new_id("act", now),
            reference=command.reference,
            now=now,
            expire_time=now + gateway.limits.authorization_lifetime,
        )
        return Decided(*begun, sealed)

    is_held_against_them = False
    try:
        begun = await begin(gateway, request, decide)
        if isinstance(begun, Reply):
            return begun
        assert details is not None  # `begin` has decided
        answer = await gateway.acquirer.authorize(begun.action.id, details, command.amount)
        answer = await checked(gateway, begun.action, answer)
        is_held_against_them = isinstance(answer, Declined) and answer.code not in _NO_FAULT
        return await conclude(gateway, begun, answer)
    finally:
        if give_back is not None and not is_held_against_them:
            give_back()


def _request_of(command: Authorize) -> Request:
    return Request(
        merchant_id=command.merchant_id,
        rpc=ActionType.AUTHORIZE,
        key=command.idempotency_key,
        fields=(
            *_identity(command.card),
            command.amount.minor_units,
            command.amount.currency,
            command.reference,
        ),
    )


async def _details(gateway: Gateway, command: Authorize, now: datetime) -> CardDetails:
    """Return the card, which the vault has if the request has not."""
    if isinstance(command.card, CardDetails):
        return command.card
    found = await gateway.vault.open(command.merchant_id, command.card)
    if found is None:
        raise CardTokenNotFoundError
    if found is Removal.EXPIRED or (isinstance(found, CardDetails) and found.expiry.is_past(now)):
        raise ValidationFailedError({"card_token": OF_AN_EXPIRED_CARD})
    if isinstance(found, Removal):
        raise CardTokenRemovedError(cause=found.value)
    return found


async def _kept(
    gateway: Gateway, command: Authorize, now: datetime
) -> tuple[str, SealedCard | None]:
    """Return the card's token, and what the vault is to keep if the card is new there."""
    if not isinstance(command.card, CardDetails):
        return command.card, None
    pan, expiry = command.card.pan, command.card.expiry
    sealed = await gateway.vault.seal(command.merchant_id, pan, expiry, now)
    return sealed.token, sealed


def _identity(card: CardDetails | str) -> tuple[str | int, ...]:
    """Return what makes two requests' cards the same: not the CVV, which is kept nowhere."""
    if isinstance(card, CardDetails):
        return card.pan.reveal(), card.expiry.month, card.expiry.year
    return ("token", card)
