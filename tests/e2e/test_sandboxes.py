"""Sandboxes over the whole stack: tests that run side by side share nothing."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from paygate_client import (
    ActionStatus,
    AsyncPaygate,
    AuthenticationError,
    BankEffect,
    BankRule,
    ConflictError,
    CreatedSandbox,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
)
from pkg.ids import new_id
from tests.builders import NOW
from tests.e2e.operator import Operator
from tests.e2e.sandboxes import AWAY, CARD, POUND, Told
from tests.e2e.seen import Seen
from tests.e2e.stack import Stack

IS_FULL = os.environ.get("PAYGATE_SANDBOXES") == "full"
SANDBOXES, STORIES = (200, 20) if IS_FULL else (6, 4)
AT_ONCE = 32  # of the stories: each sandbox is in the midst of its own meanwhile
HOUR = timedelta(hours=1)
REVOKED_SECONDS_MAX = 5.0


@pytest.fixture
async def owner(stack: Stack, operator: Operator, seen: Seen) -> AsyncIterator[AsyncPaygate]:
    """A merchant of the test's own, who may make sandboxes."""
    api_key = operator.new_merchant(new_id("mer", NOW))
    seen.api_keys.add(api_key)
    async with AsyncPaygate(stack.url, api_key) as client:
        yield client


async def made_by(owner: AsyncPaygate, seen: Seen, name: str, **more: object) -> CreatedSandbox:
    """Make a sandbox."""
    made = await owner.sandbox.create_sandbox(name, **more)  # type: ignore[arg-type]
    seen.api_keys.add(made.api_key)
    return made


async def test_tests_side_by_side_share_nothing(
    stack: Stack, owner: AsyncPaygate, seen: Seen
) -> None:
    """Clocks, rules, inboxes and books are each sandbox's own, whatever others do meanwhile."""
    turns = asyncio.Semaphore(AT_ONCE)
    async with AsyncExitStack() as clients:

        async def told(name: str) -> Told:
            made = await made_by(owner, seen, name, time_to_live=HOUR)
            client = AsyncPaygate(stack.url, made.api_key, deadline_seconds=120)
            story = Told(made, await clients.enter_async_context(client))
            await story.begin()
            # Each at another one of the stories: what one does meets all that others do.
            for number in range(STORIES):
                async with turns:
                    await story.tell(int(name.removeprefix("test-")) + number)
            return story

        stories = await asyncio.gather(*(told(f"test-{number}") for number in range(SANDBOXES)))
        for story in stories:
            await story.assert_alone()
        _say_how_long(stories)
    listed = [one async for one in owner.sandbox.sandboxes()]
    assert {one.id for one in listed} == {one.made.sandbox.id for one in stories}
    await asyncio.gather(*(owner.sandbox.delete_sandbox(one) for one in listed))
    assert [one async for one in owner.sandbox.sandboxes()] == []
    assert [one async for one in owner.list_payments()] == []


def _say_how_long(stories: list[Told]) -> None:
    seconds = sorted(one for story in stories for one in story.seconds)
    worst = seconds[-1 - len(seconds) // 20]
    print(f"{len(stories)} sandboxes: {len(seconds)} expiries, p95 {worst * 1000:.0f} ms")  # noqa: T201  # for people


async def test_a_sandbox_is_busy_until_the_bank_has_answered(
    stack: Stack, owner: AsyncPaygate, seen: Seen
) -> None:
    """Nothing ends; then it goes, and its key with it, in time and everywhere."""
    made = await made_by(owner, seen, "busy")
    async with AsyncPaygate(stack.url, made.api_key) as mine:
        rule = await mine.sandbox.create_bank_rule(AWAY)
        payment = (await mine.authorize(POUND, card=CARD)).payment
        pending = await mine.capture(payment, POUND)
        assert pending.action.status is ActionStatus.PENDING
        with pytest.raises(ConflictError) as refused:
            await owner.sandbox.delete_sandbox(made.sandbox)
        assert refused.value.reason == "ACTION_PENDING"
        await mine.sandbox.delete_bank_rule(rule)
        assert (await mine.sandbox.drain(timedelta(seconds=20))).drained
        await owner.sandbox.delete_sandbox(made.sandbox)
        with pytest.raises(NotFoundError) as gone:
            await owner.sandbox.delete_sandbox(made.sandbox)
        assert gone.value.reason == "SANDBOX_NOT_FOUND"
        await until_refused(mine)


async def until_refused(client: AsyncPaygate) -> None:
    """Wait until each worker refuses the key, for payments and for webhooks."""
    refused = 0
    async with asyncio.timeout(REVOKED_SECONDS_MAX + 5):
        while refused < 10:  # in a row, so that every worker was asked
            try:
                await client.get_payment("pay_01h455vb4pex5vsknk084sn02q")
            except AuthenticationError:
                refused += 1
            except NotFoundError:
                refused = 0
            await asyncio.sleep(0.02)
        with pytest.raises(AuthenticationError):
            [one async for one in client.events.list()]


async def refused_at(client: AsyncPaygate) -> datetime:
    """Return when a key was refused first."""
    async with asyncio.timeout(10):
        while True:
            try:
                await client.sandbox.clock()
            except AuthenticationError:
                return datetime.now(UTC)
            await asyncio.sleep(0.05)


async def test_a_sandbox_ends_by_itself(stack: Stack, owner: AsyncPaygate, seen: Seen) -> None:
    """At its time, its key at once: everything about it looks as if it had never been."""
    made = await made_by(owner, seen, "short", time_to_live=timedelta(seconds=2))
    lasts = made.sandbox.expire_time - made.sandbox.create_time
    assert lasts == timedelta(seconds=2)
    async with AsyncPaygate(stack.url, made.api_key) as mine:
        await mine.authorize(POUND, card=CARD)
        assert await refused_at(mine) >= made.sandbox.expire_time
    assert [one async for one in owner.sandbox.sandboxes()] == []
    with pytest.raises(NotFoundError):
        await owner.sandbox.delete_sandbox(made.sandbox)


async def test_a_sandbox_makes_none_and_begins_when_it_is_told(
    stack: Stack, owner: AsyncPaygate, seen: Seen
) -> None:
    """Its clock is at its start, its key not for sandboxes; a retry makes no second one."""
    start = datetime.now(UTC) + 24 * HOUR
    made, again = [
        await owner.sandbox.create_sandbox("later", start_time=start, idempotency_key="once")
        for _ in range(2)
    ]
    seen.api_keys.add(made.api_key)
    assert again == made
    async with AsyncPaygate(stack.url, made.api_key) as mine:
        clock = await mine.sandbox.clock()
        assert start <= clock.now < start + HOUR / 60
        for attempt in (mine.sandbox.create_sandbox("x"), mine.sandbox.delete_sandbox("mer_x")):
            with pytest.raises(PermissionDeniedError):
                await attempt
        await mine.sandbox.advance(HOUR)
        await mine.sandbox.create_bank_rule(BankRule(effect=BankEffect.APPROVE))
        await mine.sandbox.reset()
        assert await mine.sandbox.bank_rules() == ()
        assert (await mine.sandbox.clock()).offset == clock.offset


@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "x" * 256}),
        ("time_to_live", {"time_to_live": timedelta(0)}),
        ("time_to_live", {"time_to_live": timedelta(days=7, seconds=1)}),
        ("start_time", {"start_time": datetime(2020, 1, 1, tzinfo=UTC)}),
        ("start_time", {"start_time": datetime(2200, 1, 1, tzinfo=UTC)}),
    ],
)
async def test_a_wrong_sandbox_is_refused(
    owner: AsyncPaygate, field: str, asked: dict[str, object]
) -> None:
    """With the field that is wrong."""
    wanted: dict[str, object] = {"name": "a test", **asked}
    with pytest.raises(InvalidRequestError) as refused:
        await owner.sandbox.create_sandbox(**wanted)  # type: ignore[arg-type]
    assert [one.field for one in refused.value.field_violations] == [field]
