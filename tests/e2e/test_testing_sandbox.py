"""What the pytest plugin's sandbox offers, at the real gateway."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from paygate_client import (
    ActionStatus,
    BankEffect,
    BankResult,
    BankRule,
    DeclineCode,
    Money,
    Payment,
    PaymentStatus,
)
from paygate_testing import Gateway, NeverCameError, Sandbox, SetupError, cards
from paygate_testing.finding import find
from tests.e2e.operator import Operator
from tests.e2e.seen import Seen
from tests.e2e.stack import Stack

PRICE = Money(1000, "GBP")


@pytest.fixture(scope="module")
def gateway(stack: Stack, operator: Operator, seen: Seen) -> Iterator[Gateway]:
    """The gateway, for a merchant of these tests."""
    key = operator.new_merchant("mer_pytest_sandbox")
    seen.api_keys.add(key)
    found = Gateway(stack.url, key, origin="these tests")
    with found.client:
        yield found


@pytest.fixture
def sandbox(gateway: Gateway) -> Iterator[Sandbox]:
    """A sandbox as the plugin makes it."""
    with gateway.sandbox("one of ours") as made:
        yield made


def paid(sandbox: Sandbox, reference: str = "") -> Payment:
    """Authorize something."""
    return sandbox.client.authorize(PRICE, card=cards.VISA, reference=reference).payment


def test_a_run_on_this_machine_is_found(stack: Stack, tmp_path: Path) -> None:
    """By what it has written into its data folder."""

    def own() -> NoReturn:
        raise AssertionError

    found = find({"PAYGATE_DATA_DIR": str(stack.data_dir)}, tmp_path, own)
    with found.client:
        assert found.url == stack.url


def test_a_gateway_that_will_not_do_is_explained(stack: Stack, gateway: Gateway) -> None:
    """A key of another gateway; and a sandbox's, which makes no sandboxes."""
    stranger = Gateway(stack.url, f"sk_{16 * '0'}_{64 * '0'}", origin="the settings")
    with stranger.client, pytest.raises(SetupError, match=r"^the settings: .* does not know this"):
        stranger.check()
    with gateway.sandbox("not an owner") as sandbox:
        inner = Gateway(stack.url, sandbox.api_key, origin="the settings")
        with inner.client, pytest.raises(SetupError, match=r"may not make sandboxes. Use one with"):
            inner.check()
        assert inner.answers()
        assert not stranger.answers()


def test_orders_to_the_bank(sandbox: Sandbox) -> None:
    """Each is carried out as often as it says, for what it is for, and can be withdrawn."""
    payment = paid(sandbox, "order-17")
    sandbox.bank.decline_next("capture", code=DeclineCode.LOST_CARD, reference_prefix="order-17")
    sandbox.bank.lose_next_reply("capture")
    assert sandbox.client.capture(paid(sandbox), PRICE).action.status == ActionStatus.PENDING
    declined = sandbox.client.capture(payment, PRICE).action.decline
    assert declined
    assert declined.code == DeclineCode.LOST_CARD
    sandbox.drain()
    results = [one.result for one in sandbox.bank.requests("capture")]
    assert results == [BankResult.REPLY_LOST, BankResult.DECLINED]
    sandbox.bank.add(BankRule(effect=BankEffect.LOSE_REQUEST, minor_units_min=1))
    sandbox.bank.forget()
    assert sandbox.client.void(payment).payment.status == PaymentStatus.VOIDED


def test_an_outage_until_the_bank_recovers(sandbox: Sandbox) -> None:
    """What is left to do meanwhile is said; a second order to recover is none."""
    payment = paid(sandbox)
    sandbox.bank.outage()
    assert sandbox.client.capture(payment, PRICE).action.status == ActionStatus.PENDING
    with pytest.raises(NeverCameError, match=r"within 0\.1 s: 1 pending actions"):
        sandbox.drain(seconds=0.1)
    sandbox.bank.recovers()
    sandbox.bank.recovers()
    sandbox.drain()
    assert sandbox.client.get_payment(payment).status == PaymentStatus.CAPTURED


def test_what_never_comes_is_said_with_what_came(sandbox: Sandbox) -> None:
    """Of this payment, and of no other."""
    payment = paid(sandbox)
    sandbox.client.void(paid(sandbox))
    sandbox.inbox.wait_for("payment.voided")
    with pytest.raises(NeverCameError) as event:
        sandbox.wait_for_event("payment.captured", payment_id=payment.id, seconds=0.1)
    came = f"no payment.captured of {payment.id} came within 0.1 s; there came payment.authorized"
    assert str(event.value) == came
    with pytest.raises(NeverCameError, match=r"no webhook .* came .*voided"):
        sandbox.inbox.wait_for("payment.captured", seconds=0.1)


def test_an_inbox_that_fails_gets_it_again(sandbox: Sandbox) -> None:
    """By the sandbox's clock: no test waits."""
    sandbox.inbox.answers(503)
    payment = paid(sandbox)
    sandbox.drain()
    assert [one.status_code for one in sandbox.inbox.webhooks()] == [503]
    sandbox.inbox.answers(200)
    sandbox.advance(minutes=1)
    sandbox.drain()
    first, second = sandbox.inbox.webhooks()
    assert (first.event, second.status_code) == (second.event, 200)
    assert sandbox.inbox.wait_for("payment.authorized", payment_id=payment.id) == second


async def test_with_asyncio(sandbox: Sandbox) -> None:
    """A client of the same merchant."""
    async with sandbox.async_client() as paygate:
        outcome = await paygate.authorize(PRICE, card=cards.VISA)
    assert sandbox.client.get_payment(outcome.payment) == outcome.payment


def test_a_clock_can_begin_later(gateway: Gateway) -> None:
    """And goes on from there."""
    start = datetime.now(UTC) + timedelta(days=365)
    with gateway.sandbox("in a year", start_time=start) as later:
        assert later.clock.now >= start
        assert later.advance(hours=1).now >= start + timedelta(hours=1)
        assert sandbox_ids(gateway) >= {later.id}
    assert later.id not in sandbox_ids(gateway)


def sandbox_ids(gateway: Gateway) -> set[str]:
    """Return the sandboxes that there are."""
    return {one.id for one in gateway.client.sandbox.sandboxes()}
