"""Turns: first come, first served, for one payment; nobody waits for another payment's."""

import asyncio

import pytest

from services.payments.domain.errors import ConcurrentUpdateError
from services.payments.turns import Turns

PAY_1, PAY_2 = ("mer_a", "pay_1"), ("mer_a", "pay_2")


async def test_turns_come_in_order() -> None:
    """Those who come while a turn is taken get theirs one after the other, and are told so."""
    turns, seen = Turns(), list[tuple[int, bool]]()

    async def take(number: int) -> None:
        async with turns.of(PAY_1, None, wait_seconds_max=5) as turn:
            seen.append((number, turn.waited))
            await asyncio.sleep(0)

    await asyncio.gather(*map(take, range(5)))
    assert seen == [(0, False), *((number, True) for number in range(1, 5))]


async def test_a_turn_that_does_not_come_is_given_up() -> None:
    """Who waits too long is refused, and the turn is free for the next one."""
    turns = Turns()
    async with (
        turns.of(PAY_1, None, wait_seconds_max=5),
        turns.of(PAY_2, None, wait_seconds_max=0),
    ):
        with pytest.raises(ConcurrentUpdateError):
            async with turns.of(PAY_1, None, wait_seconds_max=0.01):
                raise AssertionError("two have the turn")
    async with turns.of(PAY_1, None, wait_seconds_max=0) as turn:
        assert not turn.waited


async def test_no_line_outlives_its_turn() -> None:
    """What is kept is kept for payments that somebody is at work on."""
    turns = Turns()
    async with turns.of(PAY_1, None, wait_seconds_max=1):
        assert len(turns._lines) == 1
    assert len(turns._lines) == 0


async def test_whoever_comes_before_the_next_one_wakes_waits_with_a_limit() -> None:
    """The turn is given up but the next in line does not run yet: a newcomer is behind it."""
    turns, hold = Turns(), asyncio.Event()

    async def take() -> None:
        async with turns.of(PAY_1, None, wait_seconds_max=5):
            await hold.wait()

    async with turns.of(PAY_1, None, wait_seconds_max=5):
        following = asyncio.create_task(take())
        await asyncio.sleep(0)  # it is in line
    with pytest.raises(ConcurrentUpdateError):
        async with turns.of(PAY_1, None, wait_seconds_max=0.01):
            raise AssertionError("two have the turn")
    hold.set()
    await following


async def test_whoever_is_cancelled_leaves_the_line() -> None:
    """And nobody waits behind it."""
    turns = Turns()
    async with turns.of(PAY_1, None, wait_seconds_max=5):
        waiting = asyncio.create_task(turns.of(PAY_1, None, wait_seconds_max=5).__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with turns.of(PAY_1, None, wait_seconds_max=0) as turn:
        assert not turn.waited


async def test_whoever_waited_takes_along_who_wants_the_same() -> None:
    """They are told the outcome, or the problem, and have no turn; others keep their place."""
    turns, gone = Turns(), list[str]()

    async def follow(work: int | str) -> object:
        async with turns.of(PAY_1, work, wait_seconds_max=0.2) as turn:
            if not turn.is_done and isinstance(work, int):
                first, second = turn.others()
                assert (first.work, second.work) == (2, 3)
                await asyncio.sleep(0.4)  # longer than they would wait for a turn
                first.tell("done")
                second.fail(ConcurrentUpdateError())
                turn.tell("own")
            gone.append(str(work))
            return turn.result()

    async with turns.of(PAY_1, 0, wait_seconds_max=5):
        waiting = [asyncio.create_task(follow(work)) for work in (1, 2, 3)]
        await asyncio.sleep(0)
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert outcomes[:2] == ["own", "done"]
    assert isinstance(outcomes[2], ConcurrentUpdateError)
    assert len(turns._lines) == 0


async def test_whoever_has_given_up_is_not_taken_along() -> None:
    """They may be in the line still; those before and behind them are told."""
    turns, told, taken = Turns(), list[int](), list[int]()

    async def follow(number: int) -> None:
        async with turns.of(PAY_1, number, wait_seconds_max=5) as turn:
            if not turn.is_done:
                for other in turn.others():
                    taken.append(other.work)
                    other.tell(None)
            told.append(number)

    async with turns.of(PAY_1, "another kind", wait_seconds_max=5):
        waiting = [asyncio.create_task(follow(number)) for number in range(4)]
        await asyncio.sleep(0)
        waiting[2].cancel()
        await asyncio.gather(waiting[2], return_exceptions=True)
    await asyncio.gather(*waiting, return_exceptions=True)
    assert taken == [1, 3]  # nothing is begun for who was refused
    assert sorted(told) == [0, 1, 3]
    assert len(turns._lines) == 0


async def test_nobody_waits_behind_another_merchant() -> None:
    """Not even who names the same payment, which is not theirs."""
    turns = Turns()
    async with (
        turns.of(PAY_1, 1, wait_seconds_max=5) as first,
        turns.of(("mer_b", "pay_1"), 1, wait_seconds_max=0) as second,
    ):
        assert not second.waited
        assert first.others() == second.others() == []


async def test_who_wants_something_else_is_not_taken_along() -> None:
    """A turn is for one kind of work."""
    turns = Turns()

    async def wait(work: object) -> bool:
        async with turns.of(PAY_1, work, wait_seconds_max=5) as turn:
            return not turn.is_done and not turn.others()

    async with turns.of(PAY_1, 0, wait_seconds_max=5):
        waiting = [asyncio.create_task(wait(work)) for work in (1, "one", 2.0)]
        await asyncio.sleep(0)
    assert await asyncio.gather(*waiting) == [True, True, True]
