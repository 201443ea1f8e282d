"""The vault in memory, for tests of what stands above it."""

from dataclasses import dataclass, field
from datetime import datetime

from pkg.errors import DependencyUnavailableError
from pkg.ids import new_id
from services.payments.adapters.memory import MemoryStore
from services.payments.domain.card import Expiry, Pan, Removal
from services.payments.ports import CardDetails, SealedCard


@dataclass
class MemoryVault:
    """Cards in a dictionary, as they are: for tests. What was never committed is not found."""

    store: MemoryStore
    sealed: bool = False
    details: dict[str, CardDetails] = field(default_factory=dict)

    async def seal(self, merchant_id: str, pan: Pan, expiry: Expiry, now: datetime) -> SealedCard:
        """Remember a card under a fresh token."""
        if self.sealed:
            raise DependencyUnavailableError
        token = new_id("tok", now)
        self.details[token] = CardDetails(pan, expiry, None)
        return SealedCard(token=token, data_key_id=f"dek_of_{merchant_id}", ciphertext=b"")

    async def open(self, merchant_id: str, token: str) -> CardDetails | Removal | None:
        """Return the merchant's card of that token, or why it is gone; None if there was none."""
        if self.sealed:
            raise DependencyUnavailableError
        place = (merchant_id, token)
        if place in self.store.cards:
            return self.details[token]
        return self.store.removed_cards.get(place)
