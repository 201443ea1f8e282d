"""How many share a limit: what a name says, and what goes on while it says nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import pytest
from pydantic import ValidationError

from pkg.errors import RateLimitedError
from pkg.grpc.limits import CallerLimits
from pkg.observe.metrics import Metrics
from pkg.process.repeating import meanwhile
from pkg.process.replicas import addresses_of, watch_replicas
from services.events.config import Settings

KEY = "5e" * 32


def settings(**told: object) -> Settings:
    """Return settings of a process that lets a key make 6 calls at once."""
    needed = {"DATABASE_URL": "postgresql://x", "key_pepper": KEY, "hash_key": KEY}
    limit = {"rate_limit_per_second": 0.001, "rate_limit_burst": 6}
    return Settings.model_validate({**needed, "webhook_key": KEY, **limit, **told})


def through(limits: CallerLimits) -> int:
    """Return how many calls a key may make at once."""
    for count in range(100):
        try:
            limits.admit("key")
        except RateLimitedError:
            return count
    raise AssertionError


def saying(
    answers: Iterable[int | OSError], said: asyncio.Event
) -> Callable[[str], Awaitable[int]]:
    """Return what answers in this order, and then never again."""
    left = iter(answers)

    async def look_up(_name: str) -> int:
        answer = next(left, None)
        if answer is None:
            said.set()
            await asyncio.Event().wait()
        if isinstance(answer, OSError):
            raise answer
        assert answer is not None
        return answer

    return look_up


async def test_changes_are_told_and_silence_is_not() -> None:
    """While a name can't be looked up, what was last known goes on."""
    told, said = list[int](), asyncio.Event()
    answers: list[int | OSError] = [OSError(), 3, 3, OSError(), 3, 2, TimeoutError(), 5]
    looking = watch_replicas("name", told.append, look_up=saying(answers, said), seconds=0)
    async with meanwhile(looking):
        await said.wait()
    assert told == [3, 2, 5]


async def test_addresses_are_counted() -> None:
    """A name that is an address has one; one that nobody knows has none to count."""
    assert await addresses_of("localhost") == 1
    with pytest.raises(OSError, match=r"."):
        await addresses_of("no-such-name.invalid")


@pytest.mark.parametrize(("shared_by", "at_once"), [("1", 6), ("3", 2), ("24", 1), ("payments", 6)])
def test_a_number_counts_at_once(shared_by: str, at_once: int) -> None:
    """A name only when it was looked up: until then a process has the whole limit."""
    limits = settings(rate_limit_shared_by=shared_by).caller_limits(Metrics())
    assert through(limits) == at_once


async def test_a_name_is_looked_up_while_it_serves() -> None:
    """And a number is not, nor is a name where nothing is limited."""
    told = settings(rate_limit_shared_by="localhost")
    limits = told.caller_limits(Metrics())
    limits.shared_by(6)
    counted = asyncio.Event()

    def shared_by(processes: int) -> None:
        CallerLimits.shared_by(limits, processes)
        counted.set()

    limits.shared_by = shared_by  # type: ignore[method-assign]  # only to be told when
    async with told.sharing(limits):
        await counted.wait()
    assert through(limits) == 6


@pytest.mark.parametrize("value", ["0", "-1", "", "1.5", "a b", "10000", "1x"])
def test_what_is_neither_a_number_nor_a_name(value: str) -> None:
    """It is refused at the start."""
    with pytest.raises(ValidationError):
        settings(rate_limit_shared_by=value)
