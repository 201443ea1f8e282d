"""Waiting until nothing is due, by many callers at once."""

import asyncio
from collections import Counter

import pytest

from pkg.errors import RateLimitedError
from services.payments.drains import Drains, Due
from services.payments.waiting import WAITING_MAX, WAITING_PER_MERCHANT_MAX


class Work:
    """What is due for merchants; counts who looks."""

    def __init__(self, *due: str) -> None:
        self.due = set(due)
        self.past: set[str] = set()
        self.looks: Counter[str] = Counter()
        self.expired = 0

    async def look(self, merchant_id: str) -> Due:
        """Return what is due."""
        self.looks[merchant_id] += 1
        due = int(merchant_id in self.due)
        await asyncio.sleep(0)
        past = int(merchant_id in self.past)
        return Due(pending_actions=due, due_expiries=past, pending_events=0, due_deliveries=0)

    async def expire(self) -> None:
        """Expire all that is past its time."""
        self.expired += 1
        await asyncio.sleep(0)
        self.past.clear()


async def waiting(drains: Drains, merchant_id: str, count: int) -> list[asyncio.Task[Due]]:
    """Begin to wait, so many times."""
    tasks = [asyncio.create_task(drains.wait(merchant_id, seconds=5)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_those_who_wait_for_one_merchant_look_together() -> None:
    """The first look is each one's own: another's may have missed what this caller did."""
    work = Work("mer_a")
    drains = Drains(work.look, work.expire)
    tasks = await waiting(drains, "mer_a", 10)
    assert work.looks["mer_a"] == 10

    work.due.clear()
    done = await asyncio.gather(*tasks)

    assert not any(done)
    assert work.looks["mer_a"] == 11


async def test_what_is_past_its_time_is_expired_from_here() -> None:
    """By one at a time, whoever's it is; and only if something is."""
    work = Work("mer_c")
    drains = Drains(work.look, work.expire)
    waiting_for = await waiting(drains, "mer_c", 1)
    work.past |= {"mer_a", "mer_b"}

    done = await asyncio.gather(*(drains.wait(one, seconds=5) for one in ("mer_a", "mer_b")))

    assert (any(done), work.expired) == (False, 1)
    work.due.clear()
    await asyncio.gather(*waiting_for)
    assert work.expired == 1


async def test_a_merchant_has_a_few_places_and_leaves_some_to_others() -> None:
    """What is too much is refused at once, and says when to come again."""
    work = Work("mer_a", "mer_b", *map(str, range(9)))
    drains = Drains(work.look, work.expire)
    tasks = await waiting(drains, "mer_a", WAITING_PER_MERCHANT_MAX)

    with pytest.raises(RateLimitedError) as refused:
        await drains.wait("mer_a", seconds=5)
    assert refused.value.retry_after_seconds == 1
    tasks += await waiting(drains, "mer_b", WAITING_PER_MERCHANT_MAX)
    tasks += await waiting(drains, "1", WAITING_MAX - 2 * WAITING_PER_MERCHANT_MAX)
    with pytest.raises(RateLimitedError):
        await drains.wait("2", seconds=5)

    work.due.clear()
    await asyncio.gather(*tasks)
    assert not await drains.wait("mer_a", seconds=5)


async def test_the_time_is_over_when_it_is() -> None:
    """What is still due is said; who asks for no time at all looks once."""
    work = Work("mer_a")
    drains = Drains(work.look, work.expire)

    assert await drains.wait("mer_a", seconds=0)
    assert work.looks["mer_a"] == 1
    async with asyncio.timeout(1):
        assert await drains.wait("mer_a", seconds=0.1)


async def test_who_gives_up_takes_nobody_else_along() -> None:
    """A caller that hangs up does not end the look that others wait for."""
    work = Work("mer_a")
    drains = Drains(work.look, work.expire)
    first, second = await waiting(drains, "mer_a", 2)
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    work.due.clear()
    assert not await second
