"""The Python client and the real gateway: every verb, webhooks, lists, declines and errors."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from paygate_client import (
    ActionStatus,
    ActionType,
    AsyncPaygate,
    AuthenticationError,
    Card,
    DeclineCode,
    DeliveryStatus,
    DueKind,
    EndpointStatus,
    EventType,
    Expiry,
    InvalidRequestError,
    Money,
    NotFoundError,
    Paygate,
    PaymentStatus,
    RefusedError,
    webhooks,
)
from tests.e2e.operator import Operator
from tests.e2e.receiver import Receiver
from tests.e2e.seen import Seen
from tests.e2e.stack import Stack
from tests.sentinels import CVV, VISA

MERCHANT = "mer_python_client"
EVENT_SECONDS_MAX = 10.0
LOST_REPLY, LOST_CAPTURE = "4000000000001026", "4000000000001042"


def card(number: str = VISA) -> Card:
    """Return a card."""
    return Card(number, Expiry(12, 2035), CVV)


def gbp(pence: int) -> Money:
    """Return an amount."""
    return Money(pence, "GBP")


@pytest.fixture(scope="module")
def api_key(operator: Operator, seen: Seen) -> str:
    """The key of a merchant of these tests' own."""
    key = operator.new_merchant(MERCHANT)
    seen.api_keys.add(key)
    return key


@pytest.fixture
async def paygate(stack: Stack, api_key: str) -> AsyncIterator[AsyncPaygate]:
    """A client."""
    async with AsyncPaygate(stack.url, api_key) as client:
        yield client


async def test_a_payment_from_its_authorization_to_its_refunds(paygate: AsyncPaygate) -> None:
    """Each verb does what it says, and the history has each of them once."""
    outcome = await paygate.authorize(Money.parse("10.00 GBP"), card=card(), reference="story")
    assert outcome.succeeded
    payment = outcome.payment
    assert payment.card
    assert (payment.status, payment.capturable) == (PaymentStatus.AUTHORIZED, gbp(1000))
    assert payment.card.expiry == Expiry(12, 2035)
    await paygate.capture(payment, gbp(400))
    released = await paygate.void(payment, remainder=True)
    assert released.action.amount == gbp(600)
    refunded = await paygate.refund(payment.id, gbp(150), reference="part")
    assert refunded.payment.status == PaymentStatus.PARTIALLY_REFUNDED
    found = await paygate.get_payment(payment, include_actions=True)
    assert (found.captured, found.refunded) == (gbp(400), gbp(150))
    listed = [action async for action in paygate.list_actions(payment)]
    types = [ActionType.AUTHORIZE, ActionType.CAPTURE, ActionType.VOID, ActionType.REFUND]
    assert [action.type for action in listed] == types
    assert tuple(listed) == found.actions


async def test_a_card_on_file_until_it_is_deleted(paygate: AsyncPaygate) -> None:
    """A token is charged again; after `delete_card`, done twice, it is refused."""
    first = await paygate.authorize(gbp(100), card=card())
    assert first.payment.card
    token = first.payment.card.token
    again = await paygate.authorize(gbp(200), card_token=token)
    assert (await paygate.void(again.payment)).payment.status == PaymentStatus.VOIDED
    for _ in range(2):
        await paygate.delete_card(token)
    with pytest.raises(RefusedError) as refused:
        await paygate.authorize(gbp(100), card_token=token)
    assert (refused.value.reason, refused.value.problem.metadata["cause"]) == (
        "CARD_TOKEN_REMOVED",
        "DELETED",
    )


async def test_a_decline_is_an_outcome(paygate: AsyncPaygate) -> None:
    """It raises nothing, and says why."""
    outcome = await paygate.authorize(gbp(100), card=card("4000 0000 0000 9995"))
    assert not outcome.succeeded
    assert outcome.action.decline
    assert outcome.action.decline.code == DeclineCode.INSUFFICIENT_FUNDS
    assert outcome.payment.status == PaymentStatus.DECLINED


async def test_errors_have_a_class_and_say_what_is_wrong(
    paygate: AsyncPaygate, stack: Stack
) -> None:
    """All fields at once, what is available, and the id of the request."""
    with pytest.raises(InvalidRequestError) as invalid:
        await paygate.authorize(gbp(0), card=Card("4242", Expiry(13, 2035), "1"))
    fields = {violation.field for violation in invalid.value.field_violations}
    assert fields >= {"amount.minor_units", "card_details.pan", "card_details.expiry.month"}
    assert invalid.value.request_id
    payment = (await paygate.authorize(gbp(100), card=card())).payment
    with pytest.raises(RefusedError, match="AMOUNT_EXCEEDS_CAPTURABLE") as refused:
        await paygate.capture(payment, gbp(101))
    assert refused.value.problem.metadata["available"] == "100"
    with pytest.raises(NotFoundError):
        await paygate.get_payment("pay_of_somebody_else")
    async with AsyncPaygate(stack.url, "sk_wrong") as stranger:
        with pytest.raises(AuthenticationError):
            await stranger.get_payment(payment)


async def test_the_same_key_is_the_same_call(paygate: AsyncPaygate) -> None:
    """A program that has crashed makes its call again, and gets the first outcome."""
    first = await paygate.authorize(gbp(100), card=card(), idempotency_key="client-order-1")
    again = await paygate.authorize(gbp(100), card=card(), idempotency_key="client-order-1")
    assert again == first


async def test_what_is_pending_is_waited_for(paygate: AsyncPaygate) -> None:
    """A lost authorization, then a lost capture: both end by themselves."""

    async def lost_authorization() -> None:
        outcome = await paygate.authorize(gbp(100), card=card(LOST_REPLY))
        payment = await paygate.wait_until_final(outcome.payment)
        assert payment.status == PaymentStatus.AUTHORIZED

    async def lost_capture() -> None:
        payment = (await paygate.authorize(gbp(100), card=card(LOST_CAPTURE))).payment
        await paygate.capture(payment, gbp(100))
        payment = await paygate.wait_until_final(payment)
        assert payment.actions[-1].status == ActionStatus.SUCCEEDED
        assert payment.captured == gbp(100)

    await asyncio.gather(lost_authorization(), lost_capture())


async def test_webhooks_are_verified_with_either_secret(paygate: AsyncPaygate, seen: Seen) -> None:
    """What an endpoint receives is what the list has; in a rotation both secrets will do."""
    receiver = Receiver()
    types = [EventType.AUTHORIZED]
    made = await paygate.endpoints.create(f"{receiver.url}/hook", event_types=types)
    rotated = await paygate.endpoints.rotate_secret(made.endpoint.id, overlap=timedelta(hours=1))
    seen.signing_secrets |= {made.secret, rotated.secret}
    payment = (await paygate.authorize(gbp(100), card=card())).payment
    (posted, *_) = receiver.wait("/hook", bool, seconds_max=EVENT_SECONDS_MAX)
    event = webhooks.verify(posted.body, posted.headers, [made.secret, rotated.secret])
    assert event.payment
    assert (event.type, event.payment.id) == (EventType.AUTHORIZED, payment.id)
    for secret in (made.secret, rotated.secret):
        assert webhooks.verify(posted.body, posted.headers, secret) == event
    (listed,) = [one async for one in paygate.events.list(payment=payment)]
    assert listed == event == await paygate.events.get(event.id)
    assert (await paygate.sandbox.drain()).drained
    (delivery,) = [one async for one in paygate.events.list_deliveries(event.id)]
    assert (delivery.status, delivery.last_status_code) == (DeliveryStatus.DELIVERED, 200)
    (anew,) = await paygate.events.redeliver(event.id, endpoint_id=made.endpoint.id)
    assert anew.event_id == event.id
    assert await paygate.endpoints.redeliver_failed(made.endpoint.id, since=event.create_time) == 0
    receiver.wait("/hook", lambda all_: len(all_) == 2, seconds_max=EVENT_SECONDS_MAX)
    seen.posted.extend(receiver.everything)
    receiver.close()
    await paygate.endpoints.delete(made.endpoint.id)


async def test_an_endpoint_is_tried_without_a_server(paygate: AsyncPaygate, seen: Seen) -> None:
    """A test goes to the inbox, signed; its attempts, and what went to the endpoint, are listed."""
    made = await paygate.endpoints.create(
        "https://inbox.paygate.test/503", event_types=[EventType.VOIDED]
    )
    seen.signing_secrets.add(made.secret)
    sent = await paygate.endpoints.send_test(made.endpoint.id)
    assert (await paygate.sandbox.drain()).drained
    got = [one async for one in paygate.sandbox.inbox() if one.event_id == sent.event.id]
    assert {webhooks.verify(one.body, one.headers, made.secret) for one in got} == {sent.event}
    tried = [one async for one in paygate.events.list_attempts(sent.event.id, made.endpoint.id)]
    assert [(one.number, one.status_code, one.error) for one in tried] == [(1, 503, "http 503")]
    assert tried[0].create_time == got[0].create_time
    (delivery,) = [one async for one in paygate.endpoints.list_deliveries(made.endpoint.id)]
    assert (delivery.event_type, delivery.payment_id) == (EventType.TEST, "")
    failed = paygate.endpoints.list_deliveries(made.endpoint.id, status=DeliveryStatus.FAILED)
    assert not [one async for one in failed]
    await paygate.endpoints.delete(made.endpoint.id)


async def test_endpoints_are_changed_and_removed(paygate: AsyncPaygate) -> None:
    """What is not given stays; a list of no types is all of them."""
    made = await paygate.endpoints.create(
        "https://example.com/hook", event_types=["payment.voided"], description="mine"
    )
    endpoint_id = made.endpoint.id
    off = await paygate.endpoints.update(endpoint_id, status=EndpointStatus.DISABLED)
    assert (off.status, off.description, list(off.event_types)) == (
        EndpointStatus.DISABLED,
        "mine",
        [EventType.VOIDED],
    )
    assert (await paygate.endpoints.update(endpoint_id, event_types=[])).event_types == ()
    assert endpoint_id in [one.id async for one in paygate.endpoints.list()]
    await paygate.endpoints.delete(endpoint_id)
    with pytest.raises(NotFoundError):
        await paygate.endpoints.get(endpoint_id)


async def test_lists_are_filtered_and_followed(paygate: AsyncPaygate) -> None:
    """A list goes on with what comes later, also from a token that was kept."""
    made = [
        (await paygate.authorize(gbp(n), card=card(), reference="listed")).payment
        for n in (1, 2, 3)
    ]
    listed = [one async for one in paygate.list_payments(reference="listed")]
    assert listed == made[::-1]
    followed, token = list[str](), ""
    async for page in paygate.list_payments(
        reference="listed", follow=True, poll_seconds=0.05
    ).pages():
        followed += [one.id for one in page.items]
        token = page.next_token
        if len(followed) == 3:
            break
    assert followed == [one.id for one in made]
    late = (await paygate.authorize(gbp(4), card=card(), reference="listed")).payment
    rest = paygate.list_payments(reference="listed", follow=True, token=token, poll_seconds=0.05)
    async for one in rest:
        assert one.id == late.id
        break


async def test_the_sandbox_tells_its_clock_and_its_cards(paygate: AsyncPaygate) -> None:
    """A test sees what the simulated bank does, what time it is, and what it brings next."""
    await paygate.authorize(gbp(500), card=card())
    due = await paygate.sandbox.due()
    assert list(due) == sorted(due, key=lambda one: one.due_time)
    (first, *_) = [one for one in due if one.kind == DueKind.PAYMENT_EXPIRES]
    assert first.due_time == (await paygate.get_payment(first.payment_id)).expire_time
    assert (await paygate.sandbox.clock()).now.tzinfo
    numbers = {one.number.replace(" ", "") for one in await paygate.sandbox.test_cards()}
    assert LOST_REPLY in numbers


def test_without_asyncio_it_is_the_same(stack: Stack, api_key: str) -> None:
    """The blocking client does a payment, a list and an error."""
    with Paygate(stack.url, api_key) as paygate:
        payment = paygate.authorize(gbp(500), card=card(), reference="blocking").payment
        assert paygate.capture(payment, gbp(500), final=True).succeeded
        (found,) = paygate.list_payments(reference="blocking")
        assert found == paygate.get_payment(payment)
        assert len(paygate.wait_until_final(payment.id).actions) == 2
        with pytest.raises(RefusedError, match="PAYMENT_CAPTURED"):
            paygate.void(payment)
