"""Cards that are not to be kept any longer: one that its merchant removes, or old ones."""

from services.payments.domain.errors import CardTokenNotFoundError
from services.payments.ports import NOBODYS, Ports

BATCH = 1_000


async def delete_card(ports: Ports, merchant_id: str, token: str) -> None:
    """Remove a card for good; again changes nothing.

    Raises:
        CardTokenNotFoundError: The merchant never had it.
    """
    if not await ports.cards.remove(merchant_id, token, now=ports.clock.now(merchant_id)):
        raise CardTokenNotFoundError


async def purge_cards(ports: Ports, merchant_id: str | None = None) -> int:
    """Remove a batch of cards that have expired, or were not used for long; return how many.

    Anybody's by the real time, or one merchant's by its clock.
    """
    now = ports.clock.now(merchant_id or NOBODYS)
    oldest = now - ports.limits.card_retention
    return await ports.cards.purge(
        now=now, unused_since=oldest, limit=BATCH, merchant_id=merchant_id
    )
