"""A bank that takes orders, over the whole stack: each test is a merchant of its own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from paygate_client import (
    ActionStatus,
    AsyncPaygate,
    BankEffect,
    BankRequest,
    BankResult,
    BankRule,
    BankVerb,
    Card,
    DeclineCode,
    Expiry,
    InvalidRequestError,
    Money,
    NotFoundError,
    Outcome,
    Payment,
    PaymentStatus,
    RefusedError,
)
from pkg.ids import new_id
from tests.builders import NOW
from tests.e2e.operator import Operator
from tests.e2e.seen import Seen
from tests.e2e.stack import Stack
from tests.sentinels import CVV, VISA

CARD = Card(VISA, Expiry(12, 2045), CVV)
POUND = Money(100, "GBP")
DRAIN = timedelta(seconds=20)
LOSE_REQUEST, LOSE_REPLY = BankEffect.LOSE_REQUEST, BankEffect.LOSE_REPLY
UNAVAILABLE, DECLINE = BankEffect.UNAVAILABLE, BankEffect.DECLINE
VERBS = [BankVerb.AUTHORIZE, BankVerb.CAPTURE, BankVerb.VOID, BankVerb.REFUND]
# How a payment stands when a verb was done, and when it was not.
DONE = {
    BankVerb.AUTHORIZE: (PaymentStatus.AUTHORIZED, PaymentStatus.FAILED),
    BankVerb.CAPTURE: (PaymentStatus.CAPTURED, PaymentStatus.AUTHORIZED),
    BankVerb.VOID: (PaymentStatus.VOIDED, PaymentStatus.AUTHORIZED),
    BankVerb.REFUND: (PaymentStatus.REFUNDED, PaymentStatus.CAPTURED),
}


@pytest.fixture
def api_key(operator: Operator, seen: Seen) -> str:
    """The key of a merchant of the test's own."""
    merchant_id = new_id("mer", NOW)
    key = operator.new_merchant(merchant_id)
    seen.api_keys.add(key)
    return key


@pytest.fixture
async def paygate(stack: Stack, api_key: str) -> AsyncIterator[AsyncPaygate]:
    """A client."""
    async with AsyncPaygate(stack.url, api_key) as client:
        yield client


async def begun(paygate: AsyncPaygate, verb: BankVerb) -> Payment | None:
    """Do what has to be done before a verb."""
    if verb == BankVerb.AUTHORIZE:
        return None
    outcome = await paygate.authorize(POUND, card=CARD, reference="order-17")
    if verb == BankVerb.REFUND:
        outcome = await paygate.capture(outcome.payment, POUND)
    return outcome.payment


async def done(paygate: AsyncPaygate, verb: BankVerb, payment: Payment | None) -> Outcome:
    """Do a verb to a payment."""
    if payment is None:
        return await paygate.authorize(POUND, card=CARD, reference="order-17")
    match verb:
        case BankVerb.CAPTURE:
            return await paygate.capture(payment, POUND)
        case BankVerb.VOID:
            return await paygate.void(payment)
        case _:
            return await paygate.refund(payment, POUND)


async def requests(paygate: AsyncPaygate, outcome: Outcome) -> list[BankRequest]:
    """Return what the bank saw of an action, the first first."""
    found = [one async for one in paygate.sandbox.bank_requests()]
    return [one for one in reversed(found) if one.action_id == outcome.action.id]


@pytest.mark.parametrize("verb", VERBS)
async def test_a_lost_request_settles_by_itself(paygate: AsyncPaygate, verb: BankVerb) -> None:
    """First PENDING; then an authorization has failed; anything else was sent again and done."""
    payment = await begun(paygate, verb)
    await paygate.sandbox.create_bank_rule(BankRule(effect=LOSE_REQUEST, verb=verb, times=1))
    outcome = await done(paygate, verb, payment)
    assert outcome.action.status == ActionStatus.PENDING
    assert (await paygate.sandbox.drain(DRAIN)).drained
    found = await paygate.get_payment(outcome.payment, include_actions=True)
    is_lost = verb == BankVerb.AUTHORIZE
    assert found.status == DONE[verb][is_lost]
    assert sum(one.type == outcome.action.type for one in found.actions) == 1
    first, *later = await requests(paygate, outcome)
    assert first.result == BankResult.REQUEST_LOST
    results = {one.result for one in later if one.verb == verb}
    assert results == (set() if is_lost else {BankResult.APPROVED})
    (rule,) = await paygate.sandbox.bank_rules()
    assert (rule.hits, rule.times_left, first.rule_id) == (1, 0, rule.id)


@pytest.mark.parametrize("verb", VERBS)
async def test_a_lost_reply_settles_by_itself(paygate: AsyncPaygate, verb: BankVerb) -> None:
    """First PENDING, then done; and the bank was asked to do it only once."""
    payment = await begun(paygate, verb)
    await paygate.sandbox.create_bank_rule(BankRule(effect=LOSE_REPLY, verb=verb))
    outcome = await done(paygate, verb, payment)
    assert outcome.action.status == ActionStatus.PENDING
    assert (await paygate.sandbox.drain(DRAIN)).drained
    assert (await paygate.get_payment(outcome.payment)).status == DONE[verb][0]
    results = [one.result for one in await requests(paygate, outcome) if one.verb == verb]
    assert results == [BankResult.REPLY_LOST]


@pytest.mark.parametrize("verb", VERBS)
async def test_declined(paygate: AsyncPaygate, verb: BankVerb) -> None:
    """With the rule's code; the payment is as before."""
    payment = await begun(paygate, verb)
    rule = BankRule(effect=DECLINE, decline_code=DeclineCode.PROCESSING_ERROR, verb=verb)
    await paygate.sandbox.create_bank_rule(rule)
    outcome = await done(paygate, verb, payment)
    assert outcome.action.decline
    assert outcome.action.decline.code == DeclineCode.PROCESSING_ERROR
    standing = PaymentStatus.DECLINED if verb == BankVerb.AUTHORIZE else DONE[verb][1]
    assert outcome.payment.status == standing


async def test_an_outage_lasts_as_long_as_its_rule(paygate: AsyncPaygate) -> None:
    """What the bank could not be asked stays PENDING; when the rule is gone it is done."""
    payment = await begun(paygate, BankVerb.REFUND)
    clock = await paygate.sandbox.clock()
    until = clock.now + timedelta(hours=1)
    rule = BankRule(effect=UNAVAILABLE, reference_prefix="order-", active_until=until)
    made = await paygate.sandbox.create_bank_rule(rule)
    outcome = await done(paygate, BankVerb.REFUND, payment)
    assert outcome.action.status == ActionStatus.PENDING
    assert not (await paygate.sandbox.drain(timedelta(0))).drained
    await paygate.sandbox.delete_bank_rule(made)
    assert (await paygate.sandbox.drain(DRAIN)).drained
    assert (await paygate.get_payment(outcome.payment)).status == PaymentStatus.REFUNDED


async def test_exactly_so_many_of_those_at_once(paygate: AsyncPaygate) -> None:
    """Of 32 captures at once five are declined."""
    outcomes = [await paygate.authorize(POUND, card=CARD) for _ in range(4)]
    code = DeclineCode.CAPTURE_REJECTED
    rule = BankRule(effect=DECLINE, decline_code=code, verb=BankVerb.CAPTURE, times=5)
    await paygate.sandbox.create_bank_rule(rule)
    captures = await asyncio.gather(
        *(paygate.capture(outcomes[n % 4].payment, Money(10, "GBP")) for n in range(32))
    )
    assert sum(one.action.status == ActionStatus.DECLINED for one in captures) == 5
    assert [one.hits for one in await paygate.sandbox.bank_rules()] == [5]
    captured = [(await paygate.get_payment(one.payment)).captured for one in outcomes]
    assert sum(one.minor_units for one in captured) == 270


async def test_a_rule_is_told_as_it_was_made(paygate: AsyncPaygate) -> None:
    """All of it; a repeated request gets the same one; a reset removes it."""
    clock = await paygate.sandbox.clock()
    rule = BankRule(
        effect=BankEffect.APPROVE,
        delay=timedelta(milliseconds=20),
        jitter=timedelta(milliseconds=5),
        verb=BankVerb.CAPTURE,
        minor_units_min=10,
        minor_units_max=20,
        currency="GBP",
        last4="4242",
        reference_prefix="ship",
        times=3,
        percent=40,
        active_from=clock.now,
        active_until=clock.now + timedelta(days=1),
    )
    made = await paygate.sandbox.create_bank_rule(rule, idempotency_key="once")
    assert await paygate.sandbox.create_bank_rule(rule, idempotency_key="once") == made
    assert made.id.startswith("rule_")
    assert (made.times_left, made.hits, made.percent, made.jitter) == (3, 0, 40, rule.jitter)
    assert (made.active_until, made.minor_units_max) == (rule.active_until, 20)
    assert list(await paygate.sandbox.bank_rules()) == [made]
    other = BankRule(effect=BankEffect.APPROVE)
    with pytest.raises(RefusedError, match="IDEMPOTENCY_KEY_REUSED"):
        await paygate.sandbox.create_bank_rule(other, idempotency_key="once")
    await paygate.sandbox.reset()
    assert list(await paygate.sandbox.bank_rules()) == []
    with pytest.raises(NotFoundError, match="BANK_RULE_NOT_FOUND"):
        await paygate.sandbox.delete_bank_rule(made)


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (BankRule(effect=DECLINE), "effect.decline_code"),
        (BankRule(effect=DECLINE, decline_code=DeclineCode.VOID_REJECTED), "effect.decline_code"),
        (BankRule(effect=UNAVAILABLE, decline_code=DeclineCode.LOST_CARD), "effect.decline_code"),
        (BankRule(effect=UNAVAILABLE, delay=timedelta(seconds=11)), "effect.delay"),
        (BankRule(effect=UNAVAILABLE, jitter=timedelta(seconds=-1)), "effect.jitter"),
        (BankRule(effect=UNAVAILABLE, minor_units_min=-1), "match.minor_units_min"),
        (
            BankRule(effect=UNAVAILABLE, minor_units_min=2, minor_units_max=1),
            "match.minor_units_max",
        ),
        (BankRule(effect=UNAVAILABLE, currency="gbp"), "match.currency"),
        (BankRule(effect=UNAVAILABLE, last4="42"), "match.last4"),
        (BankRule(effect=UNAVAILABLE, reference_prefix="\n"), "match.reference_prefix"),
        (BankRule(effect=UNAVAILABLE, times=0), "times"),
        (BankRule(effect=UNAVAILABLE, percent=101), "percent"),
        (BankRule(effect=UNAVAILABLE, active_from=NOW, active_until=NOW), "active_until"),
    ],
)
async def test_a_wrong_rule_is_refused(paygate: AsyncPaygate, rule: BankRule, field: str) -> None:
    """By the field that is at fault, and that alone."""
    with pytest.raises(InvalidRequestError) as refused:
        await paygate.sandbox.create_bank_rule(rule)
    assert [one.field for one in refused.value.field_violations] == [field]
