"""Cards that are not to be kept any longer: one that its merchant removes, or old ones."""

from services.payments.domain.error import CardTokenNotFoundError
from services.payments.ports import Gateway

BATCH = 1_000


async def delete_card(gateway: Gateway, merchant_id: str, token: str) -> None:
    """Remove a card for good; again changes nothing.

    Raises:
        CardTokenNotFoundError: The merchant never had it.
    """
    if not await gateway.cards.remove(merchant_id, token, now=gateway.clock.now()):
        raise CardTokenNotFoundError


async def purge_cards(gateway: Gateway) -> int:
    """Remove a batch of cards that have expired, or were not used for long; return how many."""
    now = gateway.clock.now()
    oldest = now - gateway.limits.card_retention
    return await gateway.cards.purge(now=now, unused_since=oldest, limit=BATCH)
