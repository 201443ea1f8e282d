"""Steps that ask for something: authorize, capture, void, refund, and sending it again."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from pytest_bdd import given, parsers, step, when

from tests.e2e.clients import Answer
from tests.e2e.steps.story import AMOUNT, GOOD_CARD, Asked, Story, bearer, card_fields, money

CARD = r"(?: on the card (?P<pan>[\d -]*\d))?"
CVV = r"(?: with the CVV (?P<cvv>\d+))?"
REFERENCE = r'(?: with the reference "(?P<reference>[^"]*)")?'
KEY = r'(?: with the key "(?P<key>[^"]*)")?'


@given("no payment")
def no_payment() -> None:
    """Begin with nothing."""


@given(
    parsers.re(
        rf"a payment of (?P<amount>{AMOUNT}){CARD}{REFERENCE}"
        rf"(?: of which (?P<captured>{AMOUNT}) are captured)?"
    )
)
def a_payment(
    story: Story, amount: str, pan: str | None, reference: str | None, captured: str | None
) -> None:
    """Authorize, and perhaps capture."""
    authorize(story, amount, pan, None, reference, None)
    assert story.answer.error is None
    if captured:
        is_moved(story, captured, "captured")


@given(parsers.re(rf"(?P<amount>{AMOUNT}) are (?P<done>captured|refunded)"))
def is_moved(story: Story, amount: str, done: str) -> None:
    """Capture or refund, with success."""
    verb = {"captured": "capture", "refunded": "refund"}[done]
    answer = story.ask(*later_request(story.payment.id, f"{verb} {amount}"))
    assert answer.action.Status.Name(answer.action.status) == "STATUS_SUCCEEDED"


@given("it is voided")
def is_voided(story: Story) -> None:
    """Void, with success."""
    assert story.ask(*later_request(story.payment.id, "void it")).error is None


@step(parsers.re(rf"I authorize (?P<amount>{AMOUNT}){CARD}{CVV}{REFERENCE}{KEY}"))
def authorize(
    story: Story,
    amount: str,
    pan: str | None,
    cvv: str | None,
    reference: str | None,
    key: str | None,
) -> None:
    """Authorize an amount on a card, a good one unless the scenario names another."""
    story.ask("Authorize", authorize_fields(amount, pan, cvv, reference), key=key)


@when(parsers.re(rf"I authorize (?P<amount>{AMOUNT}) on a card that (?P<when_>expire.* month)"))
def authorize_at_expiry(story: Story, amount: str, when_: str) -> None:
    """Authorize on a card that expires this month, or expired last month."""
    month = datetime.now(UTC).replace(day=1)
    if when_ == "expired last month":
        month -= timedelta(days=1)
    fields = authorize_fields(amount)
    fields["card_details"]["expiry"] = {"month": month.month, "year": month.year}
    story.ask("Authorize", fields)


@step(
    parsers.re(rf"I capture (?P<amount>{AMOUNT})(?P<final> as the final capture)?{REFERENCE}{KEY}")
)
def capture(
    story: Story, amount: str, final: str | None, reference: str | None, key: str | None
) -> None:
    """Capture."""
    rpc, fields = later_request(story.payment.id, f"capture {amount}")
    more = {"final": True} if final else {}
    story.ask(rpc, fields | more | referred(reference), key=key)


@step(parsers.re(rf"I (?P<request_>refund {AMOUNT}|void it|void the rest){REFERENCE}{KEY}"))
def refund_or_void(story: Story, request_: str, reference: str | None, key: str | None) -> None:
    """Refund or void."""
    rpc, fields = later_request(story.payment.id, request_)
    story.ask(rpc, fields | referred(reference), key=key)


@when(parsers.re(rf"I (?P<verb>capture|refund) without an amount{KEY}"))
def without_amount(story: Story, verb: str, key: str | None) -> None:
    """Leave the amount out."""
    story.ask(verb.capitalize(), {"authorization_id": story.payment.id}, key=key)


@when(parsers.re(r"I send the same request again(?P<other> over the other protocol)?"))
def again(story: Story, other: str | None) -> None:
    """Send the last request once more."""
    story.send(story.sent[-1], story.other_client if other else None)


@when(parsers.parse('I send the request with the key "{key}" again'))
def with_key_again(story: Story, key: str) -> None:
    """Send the last request that had this key once more."""
    story.send(next(sent for sent in reversed(story.sent) if story.key(key) in sent.headers))


@when(parsers.re(rf"I send another amount, (?P<amount>{AMOUNT}), .* over the other protocol"))
def another_amount(story: Story, amount: str) -> None:
    """Send the last request with the same key, but about another amount."""
    asked = story.sent[-1]
    other = Asked(asked.rpc, {**asked.fields, "amount": money(amount)}, asked.headers)
    story.send(other, story.other_client)


@when("another merchant sends the same request")
def by_another_merchant(story: Story) -> None:
    """Send the last request, with the same key, as another merchant."""
    asked = story.sent[-1]
    headers = [(name, value) for name, value in asked.headers if name != "authorization"]
    story.api_key = story.other_key
    story.send(Asked(asked.rpc, asked.fields, (*headers, *story.credentials)))


@when(parsers.re(rf"I authorize (?P<amount>{AMOUNT}){CARD} twice at once{KEY}"))
def twice_at_once(story: Story, amount: str, pan: str, key: str) -> None:
    """Send the same request twice without waiting for the reply."""
    headers = (*story.credentials, story.key(key))
    asked = Asked("Authorize", authorize_fields(amount, pan), headers)
    with ThreadPoolExecutor(2) as pool:
        answers: list[Answer] = list(pool.map(story.call, [asked, asked]))
    # The success first, if there is one.
    story.sent.append(asked)
    story.remember(sorted(answers, key=lambda answer: answer.code is not grpc.StatusCode.OK))


@when("I list payments with a wrong key")
def with_wrong_key(story: Story) -> None:
    """Ask with a key of the right form that nobody has."""
    story.send(Asked("ListPayments", {}, bearer(f"sk_{'0' * 16}_{'0' * 64}")))


@when(parsers.parse('I list payments from page "{token}"'))
def with_page_token(story: Story, token: str) -> None:
    """Ask for a page that is none."""
    story.ask("ListPayments", {"page_token": token})


@when("I look at an unknown payment")
def look_at_nothing(story: Story) -> None:
    """Ask for an id that was never given out."""
    story.ask("GetPayment", {"id": "pay_01h455vb4pex5vsknk084sn02q"})


def authorize_fields(
    amount: str, pan: str | None = None, cvv: str | None = None, reference: str | None = None
) -> dict[str, Any]:
    """Return an authorization."""
    card = card_fields(pan or GOOD_CARD, cvv)
    return {"card_details": card, "amount": money(amount)} | referred(reference)


def later_request(payment_id: str, text: str) -> tuple[str, dict[str, Any]]:
    """Return what `capture 4.00 GBP`, `refund 4.00 GBP`, `void it` or `void the rest` asks for."""
    verb, _, rest = text.partition(" ")
    fields: dict[str, Any] = {"authorization_id": payment_id}
    if re.fullmatch(AMOUNT, rest):
        fields["amount"] = money(rest)
    if rest == "the rest":
        fields["remainder"] = True
    return verb.capitalize(), fields


def answers_to(story: Story, requests: Sequence[str]) -> list[Answer]:
    """Send each of these requests without a key, and return what came back."""
    return [
        story.call(Asked(*later_request(story.payment.id, text), story.credentials))
        for text in requests
    ]


def referred(reference: str | None) -> dict[str, str]:
    """Return the field, if there is one."""
    return {} if reference is None else {"reference": reference}
