"""Deliveries that are claimed and wait for a place, of each merchant and endpoint in turn."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable

from services.events.delivery_queue import Claimed, Endpoint
from services.events.under_way import UnderWay

# What has waited for longer when its place comes is given back: until it is had again, the
# endpoint's URL, secrets and status are those of the claim. Many times what a quick endpoint takes.
WAIT_SECONDS_MAX = 1.0

Queue = deque[tuple[float, Claimed]]


class Waiting:
    """Gives places to what is claimed.

    Args:
        under_way: Tells who may have one.
        seconds_max: How long anything may wait and still be posted.
    """

    def __init__(self, under_way: UnderWay, *, seconds_max: float = WAIT_SECONDS_MAX) -> None:
        self._under_way = under_way
        self._seconds_max = seconds_max
        self._merchants: OrderedDict[str, OrderedDict[Endpoint, Queue]] = OrderedDict()
        self._count = 0
        self.given_up: list[Claimed] = []  # to be given back

    def __len__(self) -> int:
        """Return how many wait."""
        return self._count

    def add(self, claimed: Iterable[Claimed]) -> None:
        """Take what was just claimed."""
        end = asyncio.get_running_loop().time() + self._seconds_max
        for one in claimed:
            self._under_way.claim(one.endpoint)
            queues = self._merchants.setdefault(one.endpoint.merchant_id, OrderedDict())
            queues.setdefault(one.endpoint, deque()).append((end, one))
            self._count += 1

    def next(self) -> Claimed | None:
        """Return what may be attempted now, and count it as under way; None if nothing may.

        Those that may not are few: each of them has all of its places.
        """
        now = asyncio.get_running_loop().time()
        while endpoint := self._next_endpoint():
            end, claimed = self._taken(endpoint)
            if now < end:
                self._under_way.begin(endpoint)
                return claimed
            self.given_up.append(claimed)
        return None

    def give_up(self, endpoint: Endpoint) -> None:
        """Have nothing of an endpoint wait any more."""
        while endpoint in self._merchants.get(endpoint.merchant_id, ()):
            self.given_up.append(self._taken(endpoint)[1])

    def give_up_all(self) -> None:
        """Have nothing wait any more."""
        for endpoint in [one for queues in self._merchants.values() for one in queues]:
            self.give_up(endpoint)

    def _next_endpoint(self) -> Endpoint | None:
        for queues in self._merchants.values():
            for endpoint in queues:
                if self._under_way.may_begin(endpoint):
                    return endpoint
        return None

    def _taken(self, endpoint: Endpoint) -> tuple[float, Claimed]:
        """Take the first of an endpoint, which is the last in turn then, as is its merchant."""
        merchant = endpoint.merchant_id
        queues = self._merchants[merchant]
        first = queues[endpoint].popleft()
        self._count -= 1
        queues.move_to_end(endpoint)
        self._merchants.move_to_end(merchant)
        if not queues[endpoint]:
            del queues[endpoint]
            if not queues:
                del self._merchants[merchant]
        return first
