"""Rules: which are for a request, what chance says, and what late replies wait for."""

import asyncio
from datetime import timedelta

from services.acquirer.cards import Verb
from services.acquirer.pace import AT_ONCE_MAX, Pace
from services.acquirer.rules import (
    EPOCH,
    NOBODY,
    Circumstances,
    Effect,
    Request,
    Rule,
    delay_seconds,
    matching,
)
from services.acquirer.seen import SeenLog

A_DAY = timedelta(days=1) // timedelta(microseconds=1)


def request(reference: str = "act_1", *, time: int = 0) -> Request:
    """Return a capture of £4."""
    return Request(Verb.CAPTURE, reference, 400, Circumstances(merchant_id="m", time=time))


def test_chance_is_near_what_was_asked_for() -> None:
    """Over many operations; and two rules do not choose the same ones."""
    rules = [Rule(id=f"rule_{number}", effect=Effect.DECLINE, percent=20) for number in range(2)]
    hit = [[bool(matching([rule], request(f"act_{n}"))) for n in range(5000)] for rule in rules]
    assert all(850 < sum(one) < 1150 for one in hit)
    assert hit[0] != hit[1]


def test_a_spent_rule_is_passed_over_but_an_outage_is_met_again() -> None:
    """By what it was used for: that is looked up."""
    spent = Rule(id="a", effect=Effect.DECLINE, times=1, hits=1)
    outage = Rule(id="b", effect=Effect.UNAVAILABLE, times=1, hits=1)
    assert matching([spent, outage], request()) == [outage]


def test_a_rule_counts_from_its_first_moment_to_before_its_last() -> None:
    """By the merchant's time, to the microsecond."""
    day = EPOCH + timedelta(days=1)
    rule = Rule(id="a", effect=Effect.DECLINE, active_from=day, active_until=day + day.resolution)
    counts = [bool(matching([rule], request(time=A_DAY + later))) for later in (-1, 0, 1)]
    assert counts == [False, True, False]


def test_jitter_stays_within_what_was_asked_for() -> None:
    """From the delay on, and below the sum of both."""
    rule = Rule(id="a", effect=Effect.APPROVE, delay_ms=100, jitter_ms=50)
    delays = [delay_seconds(rule, f"act_{number}") for number in range(1000)]
    assert 0.1 <= min(delays) < 0.105
    assert 0.145 < max(delays) < 0.15


async def test_so_many_replies_wait_and_no_more() -> None:
    """Of one merchant; another one's still do, and this one's again when those have gone."""
    over, slept = asyncio.Event(), list[str]()

    async def sleep(_: float) -> None:
        slept.append("")
        await over.wait()

    pace = Pace(sleep)
    waiting = [asyncio.create_task(pace.wait("m", 1)) for _ in range(AT_ONCE_MAX)]
    await asyncio.sleep(0)
    await pace.wait("m", 1)
    other = asyncio.create_task(pace.wait("n", 1))
    await asyncio.sleep(0)
    assert len(slept) == AT_ONCE_MAX + 1
    over.set()
    await asyncio.gather(*waiting, other)
    await pace.wait("m", 1)
    assert len(slept) == AT_ONCE_MAX + 2


def test_what_was_seen_is_bounded() -> None:
    """So many of a merchant, the last ones; so many merchants; and nothing of nobody's."""
    seen = SeenLog(each_max=3, merchants_max=2, now=lambda: 1)
    for merchant_id in ("a", "b", "c"):
        for number in range(5):
            seen.add("INQUIRE", str(number), Circumstances(merchant_id=merchant_id))
    seen.add("INQUIRE", "x", NOBODY)
    assert seen.list("a", before=0, size=10) == []
    newest = seen.list("c", before=0, size=10)
    assert [one.reference for one in newest] == ["4", "3", "2"]
    assert [one.reference for one in seen.list("c", before=newest[0].number, size=1)] == ["3"]
    assert seen.list("", before=0, size=10) == []
