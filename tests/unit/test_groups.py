"""Group commit: what waits goes together, in order, and one bad change fails alone."""

import asyncio
from collections.abc import Sequence

import pytest

from pkg.postgres.group_commit import GroupCommit
from services.payments.ports import Change, CommitResult
from tests.builders import begun


class Pen:
    """Writes groups when it is let, and remembers their sizes."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.let = asyncio.Event()
        self.bad: Change | None = None

    async def write(self, changes: Sequence[Change]) -> Sequence[CommitResult]:
        """Write a group."""
        self.sizes.append(len(changes))
        await self.let.wait()
        if any(change is self.bad for change in changes):
            raise ValueError("a bad change")
        return [CommitResult.COMMITTED] * len(changes)


def changes(count: int) -> list[Change]:
    """Return as many changes."""
    steps = [begun() for _ in range(count)]
    return [Change(payment=payment, actions=(action,)) for payment, action in steps]


def committer(pen: Pen, *, poisoned: bool = True) -> GroupCommit[Change, CommitResult]:
    """Return a committer on that pen, with groups of up to four."""
    return GroupCommit(pen.write, is_poisoned=lambda _: poisoned, size_max=4)


async def test_what_arrives_meanwhile_goes_together() -> None:
    """The first change goes at once; those that arrive while it is written follow in groups."""
    pen = Pen()
    group = committer(pen)
    tasks = [asyncio.create_task(group.result_of(changes(1)[0]))]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks += [asyncio.create_task(group.result_of(change)) for change in changes(6)]
    pen.let.set()
    assert await asyncio.gather(*tasks) == [CommitResult.COMMITTED] * 7
    assert pen.sizes == [1, 4, 2]


async def test_a_bad_change_fails_alone() -> None:
    """When a group fails by the fault of one change, its members are written one by one."""
    pen = Pen()
    pen.let.set()
    group, some = committer(pen), changes(3)
    pen.bad = some[1]
    results = await asyncio.gather(*map(group.result_of, some), return_exceptions=True)
    assert [type(result) for result in results] == [CommitResult, ValueError, CommitResult]
    assert pen.sizes == [3, 1, 1, 1]


async def test_other_failures_fail_the_group() -> None:
    """When nobody knows what was written, nothing is written again."""
    pen = Pen()
    pen.let.set()
    group, some = committer(pen, poisoned=False), changes(3)
    pen.bad = some[1]
    results = await asyncio.gather(*map(group.result_of, some), return_exceptions=True)
    assert [type(result) for result in results] == [ValueError] * 3
    assert pen.sizes == [3]


async def test_whoever_waits_may_go_away() -> None:
    """A cancelled waiter stops neither its group nor the next one."""
    pen = Pen()
    group, some = committer(pen), changes(2)
    gone = asyncio.create_task(group.result_of(some[0]))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    pen.let.set()
    assert await group.result_of(some[1]) is CommitResult.COMMITTED


async def test_what_waited_too_long_is_not_written() -> None:
    """Behind a write that hangs, what nobody waits for any more is dropped, the oldest first."""
    pen = Pen()
    wait = 0.05
    group = GroupCommit(pen.write, is_poisoned=lambda _: False, size_max=4, wait_seconds_max=wait)
    first, *late = [asyncio.create_task(group.result_of(change)) for change in changes(7)]
    del first
    await asyncio.sleep(2 * wait)  # the time that passes is what this is about
    fresh = asyncio.create_task(group.result_of(changes(1)[0]))
    await asyncio.sleep(0)
    pen.let.set()
    assert await fresh is CommitResult.COMMITTED
    results = await asyncio.gather(*late, return_exceptions=True)
    assert [type(result) for result in results] == [*[CommitResult] * 3, *[TimeoutError] * 3]
    assert pen.sizes == [4, 1]


async def test_items_count_for_what_they_are() -> None:
    """An item may stand for several: so it counts in what is done, and in what waits."""
    done: list[int] = []

    async def write(items: Sequence[str]) -> Sequence[str]:
        return items

    group = GroupCommit(write, size=len, done=lambda size, _: done.append(size))
    tasks = [asyncio.create_task(group.result_of(item)) for item in ("a", "bcd", "ef")]
    await asyncio.sleep(0)
    assert group.waiting == 6
    await asyncio.gather(*tasks)
    assert (done, group.waiting) == ([6], 0)
