"""Shops that pay through both edges, and what they were told."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from paygate_client import (
    ActionStatus,
    AsyncPaygate,
    Card,
    ConflictError,
    ConnectionFailedError,
    Expiry,
    Money,
    Outcome,
    Payment,
    PaymentStatus,
    UnavailableError,
)
from paygate_client.errors import PaygateError

SHOPS = 8
THINK_SECONDS = 0.1
# How long a shop tries one edge before it goes to the other.
EDGE_SECONDS = 1.5
CARD = Card("4242424242424242", Expiry(12, 2035), "123")
AUTHORIZED, CAPTURED, REFUNDED = 1000, 600, 200

_Call = Callable[[AsyncPaygate, str], Awaitable[Outcome]]


@dataclass(frozen=True)
class Gap:
    """A time in which nothing was acknowledged, and when it ended."""

    seconds: float
    ended: float


@dataclass
class Told:
    """What shops were told.

    Attributes:
        acknowledged: When a write was acknowledged, by the monotonic clock, in order.
        actions: Each action that was told to have ended, and how, by its id.
        orders: The payments of each order that was told of one.
        ends: How orders ended.
        unexpected: Errors that no shop should meet.
    """

    acknowledged: list[float] = field(default_factory=list)
    actions: dict[str, ActionStatus] = field(default_factory=dict)
    orders: dict[str, set[str]] = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)

    def gap(self, since: float) -> Gap:
        """Return the longest time without an acknowledgement that ended after `since`."""
        pairs = pairwise(self.acknowledged)
        gaps = [Gap(after - before, after) for before, after in pairs if after >= since]
        return max(gaps, key=lambda one: one.seconds)

    async def more(self, count: int) -> None:
        """Wait until so many more writes were acknowledged."""
        wanted = len(self.acknowledged) + count
        while len(self.acknowledged) < wanted:
            await asyncio.sleep(0.02)


class Shop:
    """Sells one order after the other, each write under one key at whichever edge answers."""

    def __init__(self, number: int, edges: Sequence[AsyncPaygate], told: Told) -> None:
        self._name = f"shop-{number}"
        self._edges = edges
        self._at = self._number = number
        self._told = told
        self._count = 0

    async def sell_on(self, stopped: asyncio.Event) -> None:
        """Sell until it is stopped."""
        while not stopped.is_set():
            self._count += 1
            self._at = self._number
            try:
                await self._sell(f"{self._name}-{self._count}")
            except PaygateError as problem:
                self._told.unexpected.append(str(problem))
            await asyncio.sleep(THINK_SECONDS)

    async def _sell(self, order: str) -> None:
        payment = await self._done(
            f"{order}-authorize",
            lambda edge, key: edge.authorize(
                Money(AUTHORIZED, "GBP"), card=CARD, reference=order, idempotency_key=key
            ),
            order,
        )
        # FAILED: the worker died before the bank was asked. That is an end, too.
        if payment.status == PaymentStatus.AUTHORIZED:
            await self._done(
                f"{order}-capture",
                lambda edge, key: edge.capture(
                    payment, Money(CAPTURED, "GBP"), idempotency_key=key
                ),
                order,
            )
            payment = await self._done(
                f"{order}-refund",
                lambda edge, key: edge.refund(payment, Money(REFUNDED, "GBP"), idempotency_key=key),
                order,
            )
        self._told.ends[payment.status.removeprefix("STATUS_")] += 1

    async def _done(self, key: str, call: _Call, order: str) -> Payment:
        """Make a call until it has ended, at one edge and then the other, under the same key."""
        while True:
            try:
                outcome = await call(self._edges[self._at % len(self._edges)], key)
            except (ConnectionFailedError, UnavailableError):
                self._at += 1
                continue
            except ConflictError as problem:
                if problem.reason != "IDEMPOTENCY_IN_FLIGHT":
                    raise
                self._at += 1
                continue
            self._told.orders.setdefault(order, set()).add(outcome.payment.id)
            if outcome.action.status != ActionStatus.PENDING:
                self._told.actions[outcome.action.id] = outcome.action.status
                self._told.acknowledged.append(time.monotonic())
                return outcome.payment
            await asyncio.sleep(THINK_SECONDS)


@asynccontextmanager
async def load(urls: Sequence[str], api_key: str) -> AsyncIterator[Told]:
    """Have shops sell meanwhile; at the end each finishes its order."""
    told, stopped = Told(), asyncio.Event()
    async with AsyncExitStack() as stack:
        edges = [
            await stack.enter_async_context(
                AsyncPaygate(url, api_key, deadline_seconds=EDGE_SECONDS)
            )
            for url in urls
        ]
        shops = [Shop(number, edges, told) for number in range(SHOPS)]
        async with asyncio.TaskGroup() as group:
            for shop in shops:
                group.create_task(shop.sell_on(stopped))
            try:
                yield told
            finally:
                stopped.set()
