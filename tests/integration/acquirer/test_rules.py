"""Rules at the bank: what each does to each verb, which one counts, and for whom."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from services.acquirer.rule_book import RULES_MAX
from tests.integration.acquirer.line import OUTAGE_SECONDS, Line
from tests.integration.acquirer.ruled import (
    APPROVE,
    DECLINE,
    LOSE_REPLY,
    LOSE_REQUEST,
    NOON,
    UNAVAILABLE,
    Ruled,
)

VERBS = ("AUTHORIZE", "CAPTURE", "VOID", "REFUND")
MINUTE = 60 * 1_000_000
ALL = [f"act_{number}" for number in range(32)]
SMART = {"AUTHORIZE": "4000000000009995", "CAPTURE": "4000000000000259"}
SMART |= {"VOID": "4000000000001067", "REFUND": "4000000000003238"}


@pytest.fixture
def ruled(line: Line) -> Ruled:
    """A merchant."""
    return Ruled(line)


async def begun(ruled: Ruled, verb: str, pan: str = "4242424242424242") -> None:
    """Do what has to be done before the verb."""
    if verb != "AUTHORIZE":
        assert await ruled.authorize(pan=pan) == "APPROVED"
    if verb == "REFUND":
        assert await ruled.operate("capture") == "APPROVED"


async def done(ruled: Ruled, verb: str, pan: str = "4242424242424242") -> str:
    """Do the verb."""
    if verb == "AUTHORIZE":
        return await ruled.authorize(pan=pan)
    return await ruled.operate(verb.lower())


def reference_of(verb: str) -> str:
    """Return what the verb is known by."""
    return "auth" if verb == "AUTHORIZE" else verb.lower()


@pytest.mark.parametrize("verb", VERBS)
async def test_approving(ruled: Ruled, verb: str) -> None:
    """A rule stands above the card, both ways; what was decided stays when the rule is gone."""
    pan = SMART[verb]
    await begun(ruled, verb, pan)
    rule = await ruled.rule(APPROVE, verb=verb)
    assert await done(ruled, verb, pan) == "APPROVED"
    assert await ruled.hits() == [1]
    assert await ruled.delete(rule)
    assert await ruled.inquire(reference_of(verb)) == "APPROVED"
    assert await done(ruled, verb, pan) == "APPROVED"


@pytest.mark.parametrize("verb", VERBS)
async def test_declining(ruled: Ruled, verb: str) -> None:
    """The code is the rule's, also when it is asked again, and when the rule is gone."""
    await begun(ruled, verb)
    rule = await ruled.rule(DECLINE, verb=verb, decline_code="PROCESSING_ERROR", times=1)
    assert await done(ruled, verb) == "PROCESSING_ERROR"
    assert await done(ruled, verb) == "PROCESSING_ERROR"
    assert await ruled.hits() == [1]
    await ruled.delete(rule)
    assert await done(ruled, verb) == await ruled.inquire(reference_of(verb)) == "PROCESSING_ERROR"


@pytest.mark.parametrize("verb", VERBS)
async def test_a_lost_request(ruled: Ruled, verb: str) -> None:
    """Nothing is done; later the operation is not known, and sent again it goes through."""
    await begun(ruled, verb)
    await ruled.rule(LOSE_REQUEST, verb=verb)
    assert await done(ruled, verb) == "UNAVAILABLE"
    assert await ruled.inquire(reference_of(verb)) == "UNAVAILABLE"
    ruled.line.time.now += OUTAGE_SECONDS
    assert await ruled.inquire(reference_of(verb)) == "NOT_FOUND"
    assert await done(ruled, verb) == "APPROVED"
    assert await ruled.hits() == [1]


@pytest.mark.parametrize("verb", VERBS)
async def test_a_lost_reply(ruled: Ruled, verb: str) -> None:
    """It is done, and later the bank says so."""
    await begun(ruled, verb)
    await ruled.rule(LOSE_REPLY, verb=verb)
    assert await done(ruled, verb) == "UNAVAILABLE"
    ruled.line.time.now += OUTAGE_SECONDS
    assert await ruled.inquire(reference_of(verb)) == "APPROVED"
    assert await done(ruled, verb) == "APPROVED"
    assert await ruled.hits() == [1]


@pytest.mark.parametrize("verb", VERBS)
async def test_an_unavailable_bank(ruled: Ruled, verb: str) -> None:
    """It cannot be reached for what it was used for, nor asked, until the rule's time is over."""
    await begun(ruled, verb)
    await ruled.rule(UNAVAILABLE, verb=verb, times=1, active_until=NOON + MINUTE)
    for _ in range(2):
        assert await done(ruled, verb) == "UNAVAILABLE"
        assert await ruled.inquire(reference_of(verb)) == "UNAVAILABLE"
    assert await ruled.hits() == [1]
    ruled.time += MINUTE
    assert await ruled.inquire(reference_of(verb)) == "NOT_FOUND"
    assert await done(ruled, verb) == "APPROVED"


async def test_an_outage_ends_with_its_rule(ruled: Ruled) -> None:
    """Others are not concerned, and without the rule the bank is there again."""
    rule = await ruled.rule(UNAVAILABLE, times=1)
    assert await ruled.authorize() == "UNAVAILABLE"
    assert await ruled.authorize("other") == "APPROVED"
    await ruled.delete(rule)
    assert await ruled.inquire() == "NOT_FOUND"
    assert await ruled.authorize() == "APPROVED"


async def test_no_rule_approves_what_the_book_cannot_hold(ruled: Ruled) -> None:
    """A capture of more than is reserved, a refund of more than is captured, a second void."""
    await ruled.rule(APPROVE)
    assert await ruled.operate("capture") == "CAPTURE_REJECTED"  # of nothing
    await ruled.authorize(minor_units=500)
    assert await ruled.operate("refund", "early") == "REFUND_REJECTED"
    assert await ruled.operate("capture", "first") == "APPROVED"
    assert await ruled.operate("capture", "second") == "CAPTURE_REJECTED"
    assert await ruled.operate("refund", "whole") == "APPROVED"
    assert await ruled.operate("refund", "again") == "REFUND_REJECTED"
    assert await ruled.operate("void") == "VOID_REJECTED"


async def test_the_first_match_counts(ruled: Ruled) -> None:
    """In the order of creation; a rule that is spent gives way to the next one."""
    await ruled.rule(DECLINE, decline_code="STOLEN_CARD", last4="0000")
    await ruled.rule(DECLINE, decline_code="LOST_CARD", times=1)
    await ruled.rule(DECLINE, decline_code="EXPIRED_CARD")
    assert [await ruled.authorize(f"a{number}") for number in range(3)] == [
        "LOST_CARD",
        "EXPIRED_CARD",
        "EXPIRED_CARD",
    ]
    assert await ruled.hits() == [0, 1, 2]


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ({"verb": "AUTHORIZE"}, {"verb": "CAPTURE"}),
        ({"minor_units_min": 1000, "minor_units_max": 1000}, {"minor_units_min": 1001}),
        ({"minor_units_max": 1001}, {"minor_units_max": 999}),
        ({"currency": "GBP"}, {"currency": "USD"}),
        ({"brand": "VISA"}, {"brand": "JCB"}),
        ({"last4": "4242"}, {"last4": "4243"}),
        ({"reference_prefix": "order-"}, {"reference_prefix": "rder"}),
        ({"active_from": NOON, "active_until": NOON + 1}, {"active_from": NOON + 1}),
        ({"active_until": NOON + 1}, {"active_until": NOON}),
    ],
)
async def test_what_a_rule_looks_at(ruled: Ruled, yes: dict[str, Any], no: dict[str, Any]) -> None:
    """Each part of it, and the ends of its ranges."""
    await ruled.rule(DECLINE, **no)
    assert await ruled.authorize("a") == "APPROVED"
    await ruled.rule(DECLINE, **yes)
    assert await ruled.authorize("b") == "LOST_CARD"
    assert await ruled.hits() == [0, 1]


async def test_both_references_count(ruled: Ruled) -> None:
    """A capture is found by its payment's reference, and by its own."""
    await ruled.authorize()
    await ruled.rule(DECLINE, verb="CAPTURE", reference_prefix="ship", decline_code="LOST_CARD")
    assert await ruled.operate("capture", "c1", "shipment") == "LOST_CARD"
    await ruled.rule(DECLINE, verb="CAPTURE", reference_prefix="order", decline_code="STOLEN_CARD")
    assert await ruled.operate("capture", "c2", "other") == "STOLEN_CARD"


@pytest.mark.parametrize("effect", [DECLINE, LOSE_REQUEST, LOSE_REPLY, UNAVAILABLE])
async def test_a_rule_is_used_exactly_as_often_as_it_may_be(
    ruled: Ruled, effect: pb.Rule.Effect.ValueType
) -> None:
    """Of 32 operations at once it is for 7, however often each is sent."""
    await ruled.rule(effect, times=7)
    words = await ruled.authorize_all([*ALL, *ALL])
    spared = {reference for reference, told in zip(ALL, words, strict=False) if told == "APPROVED"}
    assert await ruled.hits() == [7]
    assert len(spared) == 25
    ruled.line.time.now += OUTAGE_SECONDS
    again = Counter(await ruled.authorize_all(ALL))
    assert again["APPROVED"] == (32 if effect in {LOSE_REQUEST, LOSE_REPLY} else 25)
    assert await ruled.hits() == [7]


async def test_chance_is_repeatable(ruled: Ruled) -> None:
    """By the operation: sent again, each gets what it got; and about as many as said."""
    await ruled.rule(DECLINE, percent=50)
    references = [f"act_{number}" for number in range(100)]
    first = await ruled.authorize_all(references)
    assert 25 <= first.count("LOST_CARD") <= 75
    assert await ruled.authorize_all(references) == first
    (rule,) = (await ruled.line.stub.ListRules(pb.ListRulesRequest(merchant_id="mer_a"))).rules
    assert rule.hits == first.count("LOST_CARD")


async def test_delays(ruled: Ruled) -> None:
    """The reply waits; by how much more, the operation decides."""
    await ruled.rule(APPROVE, delay_ms=500, times=1)
    await ruled.rule(DECLINE, delay_ms=100, jitter_ms=1000)
    await ruled.authorize("a")
    await ruled.authorize("b")
    await ruled.authorize("c")
    exact, *jittered = ruled.line.time.slept
    assert exact == 0.5
    assert len(set(jittered)) == 2
    assert all(0.1 <= one < 1.1 for one in jittered)


async def test_a_merchants_rules_are_its_own(ruled: Ruled, line: Line) -> None:
    """Another merchant's are neither seen, nor removed, nor obeyed; nor is what the bank saw."""
    rule, other = await ruled.rule(DECLINE), Ruled(line, "mer_b")
    assert await other.authorize("theirs") == "APPROVED"
    assert not await other.delete(rule)
    assert (await other.hits(), await ruled.hits()) == ([], [0])
    await line.stub.Forget(pb.ForgetRequest(merchant_id="mer_b"))
    assert await ruled.authorize() == "LOST_CARD"
    assert (await other.seen(), await ruled.seen()) == ([], [("AUTHORIZE", "DECLINED")])


async def test_a_key_makes_one_rule(ruled: Ruled) -> None:
    """Also at once, and when the rule is gone; with another rule it is refused."""
    results = pb.CreateRuleResponse
    made = await asyncio.gather(*(ruled.created(DECLINE, key="k", times=3) for _ in range(4)))
    assert Counter(one.result for one in made) == {
        results.RESULT_CREATED: 1,
        results.RESULT_REPLAYED: 3,
    }
    (rule,) = {one.rule.id for one in made}
    await ruled.delete(rule)
    assert (await ruled.created(DECLINE, key="k", times=3)).rule.id == rule
    assert (await ruled.created(DECLINE, key="k")).result == results.RESULT_KEY_REUSED
    assert await ruled.hits() == []


async def test_there_are_so_many_and_no_more(ruled: Ruled) -> None:
    """A hundred rules of a merchant; forgetting removes all, once for each key."""
    for _ in range(RULES_MAX):
        await ruled.rule(DECLINE, verb="VOID")
    assert (await ruled.created(DECLINE)).result == pb.CreateRuleResponse.RESULT_FULL
    await ruled.authorize()
    forget = pb.ForgetRequest(merchant_id=ruled.merchant_id, key="k")
    await ruled.line.stub.Forget(forget)
    assert (await ruled.hits(), await ruled.seen()) == ([], [])
    await ruled.rule(DECLINE)
    await ruled.line.stub.Forget(forget)
    assert await ruled.hits() == [0]


async def test_what_the_bank_saw(ruled: Ruled) -> None:
    """Each request with what came of it, and the rule that it met."""
    rule = await ruled.rule(LOSE_REPLY, verb="CAPTURE")
    await ruled.authorize()
    await ruled.operate("capture")
    ruled.line.time.now += OUTAGE_SECONDS
    await ruled.inquire("capture")
    await ruled.inquire("nothing")
    assert await ruled.seen() == [
        ("AUTHORIZE", "APPROVED"),
        ("CAPTURE", "REPLY_LOST"),
        ("INQUIRE", "APPROVED"),
        ("INQUIRE", "NOT_FOUND"),
    ]
    request = pb.ListSeenRequest(merchant_id=ruled.merchant_id, size=3)
    page = (await ruled.line.stub.ListSeen(request)).seen
    capture = page[-1]
    assert (capture.rule_id, capture.minor_units, capture.currency) == (rule, 400, "GBP")
    assert capture.reference == "capture"
    request = pb.ListSeenRequest(merchant_id="mer_a", size=3, before=capture.number)
    assert [seen.verb for seen in (await ruled.line.stub.ListSeen(request)).seen] == ["AUTHORIZE"]
