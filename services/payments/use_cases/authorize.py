"""Authorize: ask the customer's bank to reserve an amount."""

from collections.abc import Callable
from datetime import datetime

from pkg.errors import ValidationFailedError
from pkg.ids import new_id
from pkg.values import value
from services.payments.domain.action import Action, ActionType
from services.payments.domain.card import Card, Removal
from services.payments.domain.errors import (
    OF_AN_EXPIRED_CARD,
    CardTokenNotFoundError,
    CardTokenRemovedError,
)
from services.payments.domain.money import Money
from services.payments.domain.outcome import DeclineCode, Declined
from services.payments.domain.payment import Payment
from services.payments.ports import CardDetails, Change, CommitResult, Ports, SealedCard
from services.payments.use_cases.carry_out import checked, conclude
from services.payments.use_cases.two_commits import (
    Begun,
    Keyed,
    Reply,
    Retries,
    keyed_by,
    look_up,
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


@value(frozen=True, slots=True)
class _Decided:
    """A payment as it begins. The bank is asked for it when it is recorded."""

    payment: Payment
    action: Action
    details: CardDetails
    sealed: SealedCard | None  # new to the vault
    give_back: Callable[[], None]  # takes back that it counts as declined


async def authorize(ports: Ports, command: Authorize) -> Reply:
    """Reserve the amount and return the serialised AuthorizeResponse.

    Raises:
        PaymentsError: The request was refused, and nothing was changed. Among others
            TooManyDeclinesError, before the bank is asked once more.
        DependencyUnavailableError: The bank is known to be away, or the vault takes no card now,
            and nothing was changed; or the database does not answer: what may be stored all the
            same, recovery brings to its end.
    """
    opened = await _open(ports, command)
    if isinstance(opened, Reply):
        return opened
    is_held_against_them = False
    try:
        action = opened.action
        answer = await ports.acquirer.authorize(opened.payment, opened.details)
        answer = await checked(ports, opened.payment, action, answer)
        is_held_against_them = isinstance(answer, Declined) and answer.code not in _NO_FAULT
        return await conclude(ports, Begun(opened.payment, action), answer)
    finally:
        if not is_held_against_them:
            opened.give_back()


async def _open(ports: Ports, command: Authorize) -> _Decided | Reply:
    """Commit 1, without looking anything up: that the key is free, the commit tells.

    A key that was seen here lately is looked up first, as it is if the request is to be refused: a
    stored reply comes before any guard.
    """
    merchant_id, key = command.merchant_id, command.idempotency_key
    keyed = keyed_by(ports, merchant_id, ActionType.AUTHORIZE, key, _fields(command))
    is_seen = key is not None and not ports.keys.is_new(merchant_id, key)
    if is_seen and isinstance(reply := await look_up(ports, keyed, ""), Reply):
        return reply
    retries = Retries(ports.limits.conflict_retry_seconds)
    while True:
        try:
            decided = await _decide(ports, command)
        except Exception:
            if key and isinstance(reply := await look_up(ports, keyed, ""), Reply):
                return reply
            raise
        if await _commit(ports, decided, keyed) is CommitResult.COMMITTED:
            return decided
        # The key is held, or the sandbox's clock was turned: a look takes that over as well.
        if isinstance(reply := await look_up(ports, keyed, ""), Reply):
            return reply
        await retries.wait()


async def _commit(ports: Ports, decided: _Decided, keyed: Keyed) -> CommitResult:
    change = Change(
        payment=decided.payment,
        actions=(decided.action,),
        fingerprint=keyed.fingerprint,
        card=decided.sealed,
    )
    result = None
    try:
        result = await ports.store.commit(change)
    finally:
        if result is not CommitResult.COMMITTED:
            decided.give_back()
    return result


async def _decide(ports: Ports, command: Authorize) -> _Decided:
    """Return the payment as it begins; it counts as declined until that is taken back."""
    merchant_id = command.merchant_id
    now = ports.clock.now(merchant_id)
    details = await _details(ports, command, now)
    pan = details.pan
    fingerprint = ports.hasher.card(merchant_id, pan)
    give_back = ports.attempt(merchant_id, command.key_id, fingerprint)
    try:
        token, sealed = await _kept(ports, command, now)
        payment, action = Payment.authorize(
            command.amount,
            Card(
                brand=pan.brand,
                last4=pan.last4,
                expiry=details.expiry,
                fingerprint=fingerprint,
                token=token,
            ),
            merchant_id=merchant_id,
            payment_id=new_id("pay", now),
            action_id=new_id("act", now),
            reference=command.reference,
            idempotency_key=command.idempotency_key,
            now=now,
            expire_time=now + ports.limits.authorization_lifetime,
        )
        ports.acquirer.ensure_reachable()  # or it would be begun only to stay in doubt
    except BaseException:
        give_back()
        raise
    return _Decided(payment, action, details, sealed, give_back)


def _fields(command: Authorize) -> tuple[str | int, ...]:
    """Return all that makes two requests the same."""
    amount = command.amount
    return *_identity(command.card), amount.minor_units, amount.currency, command.reference


async def _details(ports: Ports, command: Authorize, now: datetime) -> CardDetails:
    """Return the card, which the vault has if the request has not."""
    if isinstance(command.card, CardDetails):
        return command.card
    found = await ports.vault.open(command.merchant_id, command.card)
    if found is None:
        raise CardTokenNotFoundError
    if found is Removal.EXPIRED or (isinstance(found, CardDetails) and found.expiry.is_past(now)):
        raise ValidationFailedError({"card_token": OF_AN_EXPIRED_CARD})
    if isinstance(found, Removal):
        raise CardTokenRemovedError(cause=found.value)
    return found


async def _kept(ports: Ports, command: Authorize, now: datetime) -> tuple[str, SealedCard | None]:
    """Return the card's token, and what the vault is to keep if the card is new there."""
    if not isinstance(command.card, CardDetails):
        return command.card, None
    pan, expiry = command.card.pan, command.card.expiry
    sealed = await ports.vault.seal(command.merchant_id, pan, expiry, now)
    return sealed.token, sealed


def _identity(card: CardDetails | str) -> tuple[str | int, ...]:
    """Return what makes two requests' cards the same: not the CVV, which is kept nowhere."""
    if isinstance(card, CardDetails):
        return card.pan.reveal(), card.expiry.month, card.expiry.year
    return ("token", card)
