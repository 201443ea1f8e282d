"""Cards that are not to be kept any longer: one that its merchant removes, or old ones."""

from services.payments.domain.errors import CardTokenNotFoundError
from services.payments.ports import Ports

BATCH = 1_000


async def delete_card(ports: Ports, merchant_id: str, token: str) -> None:
    """Remove a card for good; again changes nothing.

    Raises:
        CardTokenNotFoundError: The merchant never had it.
    """
    if not await ports.cards.remove(merchant_id, token, now=ports.clock.now()):
        raise CardTokenNotFoundError


async def purge_cards(ports: Ports) -> int:
    """Remove a batch of cards that have expired, or were not used for long; return how many."""
    now = ports.clock.now()
    oldest = now - ports.limits.card_retention
    return await ports.cards.purge(now=now, unused_since=oldest, limit=BATCH)
