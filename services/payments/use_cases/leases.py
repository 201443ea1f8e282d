"""Leases of actions in doubt: short, and renewed for as long as their owner lives."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from services.payments.ports import ActionPlace, Store

# What a dead process leaves is taken up after this, and what a living one is at work on never is.
LEASE = timedelta(seconds=1.5)
RENEWAL_SECONDS = LEASE.total_seconds() / 3


class Leases:
    """The actions that this process is at work on.

    Not for safety: two that settle one action do no harm. So that they do not meet.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: Counter[ActionPlace] = Counter()

    @contextmanager
    def held(self, place: ActionPlace) -> Iterator[None]:
        """Keep the lease of an action while the block runs."""
        self._held[place] += 1
        try:
            yield
        finally:
            self._held[place] -= 1
            self._held += Counter()  # drops those that are 0

    async def renew(self) -> bool:
        """Lease again what is held; return False: there is never more than that to do."""
        if self._held:
            await self._store.postpone(list(self._held), by=LEASE)
        return False

    async def give_back(self, places: list[ActionPlace]) -> None:
        """Have another process take these up at once."""
        if places:
            await self._store.postpone(places, by=timedelta(0))

    @property
    def places(self) -> list[ActionPlace]:
        """What is held."""
        return list(self._held)
