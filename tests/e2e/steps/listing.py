"""Steps that look at one payment or list many."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf import json_format
from pytest_bdd import given, parsers, then, when

from paygate.payments.v1.payment_pb2 import Payment
from tests.e2e.steps.requests import authorize_fields, later_request
from tests.e2e.steps.story import Asked, Story, bearer, rows


@given("these payments, one after the other")
def these_payments(story: Story, datatable: Sequence[Sequence[str]]) -> None:
    """Make payments that the scenario calls by a name."""
    for row in rows(datatable):
        story.ask("Authorize", authorize_fields(row["amount"], reference=row["reference"]))
        if row["and then"]:
            story.ask(*later_request(story.payment.id, row["and then"]))
        assert story.answer.error is None
        story.named[row["name"]] = story.payment


@given(parsers.parse("{count:d} payments"))
def many_payments(story: Story, count: int) -> None:
    """Make some."""
    for _ in range(count):
        assert story.ask("Authorize", authorize_fields("10.00 GBP")).error is None


@when(parsers.re(r"I look at the payment(?P<actions> with its actions)?"))
def look(story: Story, actions: str | None) -> None:
    """Get one payment."""
    story.ask("GetPayment", {"id": story.payment.id, "include_actions": bool(actions)})


@then(parsers.parse("it shows {count:d} actions"))
def shows_actions(story: Story, count: int) -> None:
    """So many and no more."""
    assert len(story.answer.payment.actions) == count


@then("lists with these filters show")
def lists_show(story: Story, datatable: Sequence[Sequence[str]]) -> None:
    """The payments that meet all filters, in this order."""
    for row in rows(datatable):
        answer = story.ask("ListPayments", filters(story, row["filter"]))
        assert (row["filter"], names(story, listed(answer.message))) == (
            row["filter"],
            row["payments"],
        )


@then("the list shows each payment as looking at it does")
def same_in_list(story: Story) -> None:
    """A list holds whole payments, without actions."""
    payments = listed(story.ask("ListPayments", {}).message)
    assert payments
    for payment in payments:
        story.payment = payment
        assert story.look() == payment


@when(
    parsers.re(
        r"I read (?P<what>its actions|the payments)(?: with (?P<filters_>\S+))?"
        r" in pages of (?P<size>\d+)(?P<another>, and make another payment after the first page)?"
    )
)
def read_pages(
    story: Story, what: str, filters_: str | None, size: str, another: str | None
) -> None:
    """Follow the tokens until the last page."""
    rpc, fields = "ListPayments", filters(story, filters_ or "")
    if what == "its actions":
        rpc, fields = "ListPaymentActions", {"id": story.payment.id}

    def after_first() -> None:
        if another:
            story.call(Asked("Authorize", authorize_fields("1.00 GBP"), story.credentials))

    story.pages = pages(story, rpc, {**fields, "page_size": int(size)}, after_first)


@then(parsers.re(r"the pages hold (?P<counts>[\d, and]+)"))
def pages_hold(story: Story, counts: str) -> None:
    """Every page but the last is full, and no page is empty."""
    assert [len(page) for page in story.pages] == [int(n) for n in re.findall(r"\d+", counts)]


@then("together they are its history")
def together_history(story: Story) -> None:
    """Nothing is missing and nothing is twice."""
    together = [action for page in story.pages for action in page]
    assert together == list(story.look(include_actions=True).actions)


@then(parsers.re(r"together they are (?P<expected>\w+(, \w+)+)"))
def together_payments(story: Story, expected: str) -> None:
    """Nothing is missing and nothing is twice."""
    assert names(story, [payment for page in story.pages for payment in page]) == expected


@then(parsers.re(r"there are (?P<count>none|\d+)(, and (?P<more>no more|more on the next page))?"))
def there_are(story: Story, count: str, more: str | None) -> None:
    """So many are on the page."""
    message: Any = story.answer.message
    assert len(listed(message)) == (0 if count == "none" else int(count))
    assert bool(message.next_page_token) is (more == "more on the next page")


@when(
    parsers.re(
        r"I list (?P<what>its actions|the same as another merchant|the payments"
        r'(?: with (?:the reference "\w+"|status [A-Z]+))?)'
        r" with (?P<token>(?:the|its own) page_token.*)"
    )
)
def with_token(story: Story, what: str, token: str) -> None:
    """Ask for the next page of a list, with a token that this list did not give."""
    first = {"reference": "tokens", "page_size": 1}
    own_id = story.payment.id
    fields: dict[str, Any] = {"page_token": token_of(story, first, token)}
    if reference := re.search(r'with the reference "(\w+)"', what):
        fields["reference"] = reference[1]
    if status := re.search(r"with status ([A-Z]+)", what):
        fields["status"] = f"STATUS_{status[1]}"
    rpc = "ListPayments"
    if what == "its actions":
        rpc, fields["id"] = "ListPaymentActions", own_id
    theirs = "another" in what
    if theirs:
        fields["reference"] = "tokens"
    story.send(Asked(rpc, fields, bearer(story.other_key) if theirs else story.credentials))


def token_of(story: Story, first: dict[str, Any], text: str) -> str:
    """Return the token that the scenario describes."""
    if written := re.fullmatch(r'the page_token "(.*)"', text):
        return written[1]
    if text.endswith("actions"):
        story.ask("Authorize", authorize_fields("10.00 GBP"))
        first = {"id": story.payment.id, "page_size": 1}
        story.ask(*later_request(story.payment.id, "capture 1.00 GBP"))
    rpc = "ListPaymentActions" if "id" in first else "ListPayments"
    message: Any = story.call(Asked(rpc, first, story.credentials)).message
    token: str = message.next_page_token
    assert token
    if text.endswith("one letter changed"):
        middle = len(token) // 2
        other = "A" if token[middle] != "A" else "B"
        token = token[:middle] + other + token[middle + 1 :]
    return token


def pages(
    story: Story, rpc: str, fields: dict[str, Any], after_first: Callable[[], None]
) -> list[list[Any]]:
    """Return all pages of a list."""
    found: list[list[Any]] = []
    token = ""
    while not found or token:
        message: Any = story.ask(rpc, {**fields, "page_token": token}).message
        found.append(list(message.payments if rpc == "ListPayments" else message.actions))
        token = message.next_page_token
        if len(found) == 1:
            after_first()
        assert len(found) < 20
    return found


def filters(story: Story, text: str) -> dict[str, Any]:
    """Return the fields for `status=VOIDED created_after=second`, times being those of payments."""
    fields: dict[str, Any] = dict(part.split("=") for part in text.split())
    if "status" in fields:
        fields["status"] = f"STATUS_{fields['status']}"
    for bound in {"created_after", "created_before"} & set(fields):
        if fields[bound] in story.named:
            fields[bound] = json_format.MessageToDict(story.named[fields[bound]].create_time)
    return fields


def listed(message: Any) -> list[Payment]:
    """Return the payments of a list."""
    assert message is not None
    return list(message.payments)


def names(story: Story, payments: Sequence[Payment]) -> str:
    """Return what the scenario calls the payments."""
    called = {payment.id: name for name, payment in story.named.items()}
    return ", ".join(called[payment.id] for payment in payments)
