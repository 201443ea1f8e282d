"""How often cards may be declined: against those who try out numbers, or guess a CVV.

Every process counts by itself, in memory, as all limits do.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from pkg.grpc.limits import Buckets, Rate
from pkg.observe.metrics import Metrics
from services.payments.domain.errors import TooManyDeclinesError

# What one merchant's cards take from memory can't push another's out.
CARDS_MAX = 500
MERCHANTS_MAX = 200


class DeclineLimits:
    """Counts authorizations until it is known that they were not declined; see `ports.Ports`.

    So what is under way counts, too: however many come at once, no more are tried than may fail.

    Args:
        card: For one card of one merchant; None for no limit.
        key: For all cards that one API key authorizes on; None for no limit.
        metrics: Where refusals are counted.
        monotonic: Tells the time, in seconds.
    """

    def __init__(
        self,
        *,
        card: Rate | None,
        key: Rate | None,
        metrics: Metrics,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._card = card
        self._monotonic = monotonic
        self._keys = Buckets(key, monotonic=monotonic) if key else None
        self._cards: OrderedDict[str, Buckets] = OrderedDict()
        limited = metrics.counter(
            "paygate_declines_limited_total",
            "Authorizations that were refused because too many of the same card, or of the same"
            " key, were declined before.",
            ("kind",),
        )
        self._limited = {kind: limited.of(kind) for kind in ("card", "key")}

    def attempt(self, merchant_id: str, key_id: str, fingerprint: bytes) -> Callable[[], None]:
        """Count an authorization as declined; return what takes that back.

        Raises:
            TooManyDeclinesError: Too many were.
        """
        taken = self._taken("key", self._keys, key_id)
        try:
            cards = self._cards_of(merchant_id)
            taken += self._taken("card", cards, fingerprint.hex())
        except TooManyDeclinesError:
            _give_back(taken)
            raise
        return lambda: _give_back(taken)

    def _taken(
        self, kind: str, buckets: Buckets | None, key: str
    ) -> tuple[tuple[Buckets, str], ...]:
        if buckets is None:
            return ()
        wait = buckets.take(key)
        if wait > 0:
            self._limited[kind].inc()
            raise TooManyDeclinesError(retry_after_seconds=math.ceil(wait))
        return ((buckets, key),)

    def _cards_of(self, merchant_id: str) -> Buckets | None:
        if self._card is None:
            return None
        buckets = self._cards.pop(merchant_id, None)
        if buckets is None:
            buckets = Buckets(self._card, monotonic=self._monotonic, entries_max=CARDS_MAX)
            if len(self._cards) >= MERCHANTS_MAX:
                self._cards.popitem(last=False)
        self._cards[merchant_id] = buckets
        return buckets


def _give_back(taken: tuple[tuple[Buckets, str], ...]) -> None:
    for buckets, key in taken:
        buckets.give_back(key)
