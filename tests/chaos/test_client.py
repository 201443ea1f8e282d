"""The clients while workers and Envoy are killed under them: each call has one effect."""

import asyncio
import os
from collections import Counter

import asyncpg
import pytest

from paygate_client import (
    ActionStatus,
    ActionType,
    AsyncPaygate,
    Card,
    Expiry,
    Money,
    Outcome,
    Payment,
    PaymentStatus,
)
from tests.chaos.books import Books
from tests.chaos.test_storm import database_url
from tests.e2e.stack import Stack
from tests.typescript import CLIENT_IS_INSTALLED, EXAMPLE_PRINTS, run_example

CALLS_MIN = 1000 if os.environ.get("PAYGATE_CHAOS") == "full" else 100
PROGRAMS = 8
VICTIMS = ("payments-1", "envoy", "payments-2")
CALLS_BETWEEN_KILLS = 34
# A process that is killed again and again is started again after 5 seconds at most.
DEADLINE_SECONDS = 60.0
CARD = Card("4242424242424242", Expiry(12, 2035), "123")


class Shop:
    """Programs that make calls, each once: what repeats them is the client."""

    def __init__(self, paygate: AsyncPaygate) -> None:
        self._paygate = paygate
        self.calls = 0
        self.sold: dict[str, Payment] = {}

    async def sell(self, reference: str) -> None:
        """Authorize, capture and refund, whatever is killed meanwhile."""
        paygate = self._paygate
        payment = await self._final(
            await paygate.authorize(Money(100, "GBP"), card=CARD, reference=reference)
        )
        # FAILED: the worker died before the bank was asked. That is an outcome, too.
        if payment.status == PaymentStatus.AUTHORIZED:
            await self._final(await paygate.capture(payment, Money(60, "GBP")))
            payment = await self._final(await paygate.refund(payment, Money(20, "GBP")))
        self.sold[reference] = payment

    async def _final(self, outcome: Outcome) -> Payment:
        self.calls += 1
        return await self._paygate.wait_until_final(outcome.payment)


async def kill_in_turn(stack: Stack, shop: Shop) -> int:
    """Kill -9 a worker or Envoy after so many calls, again and again; return how often."""
    kills = 0
    while shop.calls < CALLS_MIN:
        for name in VICTIMS:
            begun = shop.calls
            pid = stack.kill(name)
            kills += 1
            await asyncio.to_thread(stack.restarted, name, pid)
            while shop.calls < begun + CALLS_BETWEEN_KILLS:
                await asyncio.sleep(0.01)
    return kills


async def sell_on(shop: Shop, number: int, killing: "asyncio.Task[int]") -> None:
    """Sell until nobody kills any more; what the client raises is raised."""
    count = 0
    while not killing.done():
        count += 1
        await shop.sell(f"order-{number}-{count}")


async def run_examples(stack: Stack, killing: "asyncio.Task[int]") -> int:
    """Run the TypeScript client's example again and again; return how often, 0 without Node."""
    count, environment = 0, stack.demo_env()
    while CLIENT_IS_INSTALLED and not killing.done():
        ended = await asyncio.to_thread(run_example, environment)
        assert (ended.returncode, ended.stdout) == (0, EXAMPLE_PRINTS), ended.stderr
        count += 1
    return count


def assert_one_effect(payment: Payment) -> None:
    """Assert that each call on a payment was carried out once."""
    done = [action for action in payment.actions if action.status == ActionStatus.SUCCEEDED]
    once = {ActionType.AUTHORIZE, ActionType.CAPTURE, ActionType.REFUND}
    if payment.status == PaymentStatus.FAILED:
        return
    assert Counter(action.type for action in done) == Counter(once), payment
    assert (payment.captured.minor_units, payment.refunded.minor_units) == (60, 20)


@pytest.mark.chaos
async def test_each_call_has_one_effect_whoever_is_killed(own_stack: Stack) -> None:
    """No client fails, each order is one payment, and the bank's book says so, too."""
    async with AsyncPaygate(
        own_stack.url, own_stack.api_key, deadline_seconds=DEADLINE_SECONDS
    ) as paygate:
        shop = Shop(paygate)
        async with asyncio.TaskGroup() as programs:
            killing = programs.create_task(kill_in_turn(own_stack, shop))
            for number in range(PROGRAMS):
                programs.create_task(sell_on(shop, number, killing))
            examples = programs.create_task(run_examples(own_stack, killing))
        assert killing.result() >= len(VICTIMS)
        assert shop.calls >= CALLS_MIN
        listed = Counter([one.reference async for one in paygate.list_payments()])
    assert listed == Counter(dict.fromkeys(shop.sold, 1)) + Counter({"": examples.result()})
    for payment in shop.sold.values():
        assert_one_effect(payment)
    async with (
        asyncpg.create_pool(database_url(own_stack, "payments"), min_size=1) as payments,
        asyncpg.create_pool(database_url(own_stack, "acquirer"), min_size=1) as bank,
    ):
        books = Books(payments, bank)
        await books.settled()
        await books.assert_agree()
