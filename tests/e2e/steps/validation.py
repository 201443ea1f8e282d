"""Steps that send what is not valid."""

import json
import re
from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from pytest_bdd import parsers, then, when

from tests.e2e.steps.requests import authorize_fields
from tests.e2e.steps.story import Asked, Story, rows

# No digits of it are in any sentence of ours.
VALID = authorize_fields("73.29 GBP")


@when(parsers.re(r"I authorize with (?P<field>[a-z_.]+) set to (?P<value>.+)"))
def with_field(story: Story, field: str, value: str) -> None:
    """Change one field of a valid authorization."""
    story.ask("Authorize", changed({field: value}))


@when(parsers.re(r"I authorize with all of these(?:, and the idempotency-key (?P<key>.+))?"))
def with_fields(story: Story, key: str | None, datatable: Sequence[Sequence[str]]) -> None:
    """Change several fields of a valid authorization."""
    fields = changed({row["field"]: row["value"] for row in rows(datatable)})
    story.send(Asked("Authorize", fields, (*story.credentials, *key_headers(key))))


@when("I authorize with nothing at all")
def with_nothing(story: Story) -> None:
    """Send a message without any field."""
    story.ask("Authorize", {})


@when(
    parsers.re(
        r"I (?P<verb>capture|refund|void) with nothing but"
        r"(?P<amount> a wrong amount,)? a wrong reference and the key (?P<key>.+)"
    )
)
def later_with_nothing(story: Story, verb: str, amount: str | None, key: str) -> None:
    """Leave the authorization's id out, and get everything else wrong."""
    fields: dict[str, Any] = {"reference": "r" * 256}
    if amount:
        fields["amount"] = {"minor_units": -7329, "currency": "QQQ"}
    headers = (*story.credentials, *key_headers(key))
    story.send(Asked(verb.capitalize(), fields, headers))


@when(parsers.re(r"I authorize \S+ GBP with the idempotency-key (?P<key>.+)"))
def with_key(story: Story, key: str) -> None:
    """Send this very key, or these."""
    story.send(Asked("Authorize", VALID, (*story.credentials, *key_headers(key))))


@when(parsers.re(r"I authorize \S+ GBP with each of these idempotency-keys"))
def with_keys(story: Story, datatable: Sequence[Sequence[str]]) -> None:
    """Send one request for each key."""
    headers = [(*story.credentials, *key_headers(key)) for (key,) in datatable]
    story.call_all(Asked("Authorize", VALID, one) for one in headers)


@when(parsers.re(r"I list payments with (?P<field>[a-z_]+) set to (?P<value>.+)"))
def with_filter(story: Story, field: str, value: str) -> None:
    """Ask for payments with this field."""
    story.ask("ListPayments", {field: value_of(value)})


@when(parsers.re(r"I list (?P<what>payments|its actions) with a page_size of (?P<size>-?\d+)"))
def with_page_size(story: Story, what: str, size: str) -> None:
    """Ask for a page of this size."""
    rpc, fields = "ListPayments", {}
    if what == "its actions":
        rpc, fields = "ListPaymentActions", {"id": story.payment.id}
    story.ask(rpc, {**fields, "page_size": int(size)})


@then("payment and action have that reference")
def that_reference(story: Story) -> None:
    """The reference comes back as it was sent."""
    sent = story.sent[-1].fields["reference"]
    assert story.answer.action.reference == story.look().reference == sent


def changed(values: dict[str, str]) -> dict[str, Any]:
    """Return a valid authorization with these fields set to, or without what is `nothing`."""
    fields = deepcopy(VALID)
    for path, value in values.items():
        if path == "card_token":
            del fields["card_details"]
        *parents, name = path.split(".")
        inner = fields
        for parent in parents:
            inner = inner[parent]
        if value == "nothing":
            del inner[name]
        else:
            inner[name] = value_of(value)
    return fields


def value_of(text: str) -> Any:
    """Return the value that a scenario writes as JSON, or as a letter so many times."""
    repeated = re.fullmatch(r'(\d+) × "(.)"', text)
    return repeated[2] * int(repeated[1]) if repeated else json.loads(text)


def key_headers(text: str | None) -> list[tuple[str, str]]:
    """Return a header for each of the keys in `"one" and "two"`."""
    keys = text.split(" and ") if text else []
    return [("idempotency-key", value_of(key)) for key in keys]
