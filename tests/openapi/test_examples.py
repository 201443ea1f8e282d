"""Every example of build/openapi.json is what the running stack answers."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from paygate.admin.v1 import admin_service_pb2 as pb
from paygate.auth.v1.scope_pb2 import Scope
from tests.e2e.operator import Operator
from tests.e2e.receiver import Receiver
from tests.e2e.stack import Stack
from tests.openapi.document import complaints, document, operations, validator
from tests.openapi.story import Got, Names, Sender, differences
from tools.openapi import shown
from tools.openapi.examples import Example, examples_of, story
from tools.openapi.examples import events as made_by
from tools.openapi.reasons import KEYED, with_name

MERCHANT = "mer_examples"
URL = "https://shop.example/webhooks"
AGAIN_SECONDS_MAX = 15.0
# What is seen a moment later: lists lack the last milliseconds, deliveries take their time.
LATER = {
    "listEvents",
    "listDeliveries",
    "listEndpointDeliveries",
    "listPayments",
    "getPayment",
    "listRequests",
}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """The endpoint of the examples."""
    listening = Receiver()
    yield listening
    listening.close()


@pytest.fixture(scope="module")
def names(receiver: Receiver) -> Names:
    """What the examples' names stand for."""
    return Names({URL: f"{receiver.url}/webhooks"})


@pytest.fixture(scope="module")
def sender(stack: Stack, operator: Operator, names: Names) -> Sender:
    """Sends them, as a merchant of its own."""
    operator.ask(pb.CreateMerchantRequest(id=MERCHANT, name="Examples"))
    keys = {
        "merchant": operator.new_key(MERCHANT),
        "reader": operator.new_key(MERCHANT, Scope.SCOPE_READ_ONLY),
    }
    return Sender(stack.url, keys, names)


@pytest.fixture(scope="module")
def told(sender: Sender, names: Names) -> dict[str, list[str]]:
    """What is wrong with each example's answer, by example."""
    return {name(one): wrong for one, wrong in sent(sender, names)}


def sent(sender: Sender, names: Names) -> Iterator[tuple[Example, list[str]]]:
    """Send all in order; those that are sent meanwhile, while the one before is under way."""
    examples = list(story())
    while examples:
        example = examples.pop(0)
        if not (examples and examples[0].meanwhile):
            yield example, answered(sender, names, example)
            continue
        other, before = examples.pop(0), sender.payments()
        with ThreadPoolExecutor() as pool:
            first = pool.submit(sender.send, example)
            deadline = time.monotonic() + AGAIN_SECONDS_MAX
            while sender.payments() == before and time.monotonic() < deadline:
                time.sleep(0.01)
            wrong = answered(sender, names, other)
            yield example, compared(names, example, first.result())
        yield other, wrong


def answered(sender: Sender, names: Names, example: Example) -> list[str]:
    """Send one, again and again where what it asks for takes a moment; return what is wrong."""
    deadline = time.monotonic() + AGAIN_SECONDS_MAX
    waits = example.operation in LATER
    while (wrong := compared(names, example, sender.send(example))) and waits:
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return wrong


def compared(names: Names, example: Example, got: Got) -> list[str]:
    """Return where an answer is not the example's, or not what the document says."""
    seen = Names(dict(names.actual))
    expected = shown.refused(example) if example.reason else example.reply
    wrong = differences(seen, expected, got.body)
    status = with_name(example.reason, example.status).http_status if example.reason else 200
    if got.status != status:
        wrong.append(f"{got.status} is not {status}")
    if ("idempotent-replayed" in got.headers) != example.replayed:
        wrong.append("it is a stored reply, or it is none")
    if not wrong:
        names.actual.update(seen.actual)
    return wrong + complaints(example.operation, got.status, got.headers, got.body)


def name(example: Example) -> str:
    """Return what an example is called."""
    return f"{example.operation}/{example.name}"


@pytest.mark.parametrize("example", [name(one) for one in story()])
def test_the_stack_answers_so(told: dict[str, list[str]], example: str) -> None:
    """Status, headers and body are the example's, and what the document says of them."""
    assert not told[example]


@pytest.mark.parametrize("kind", made_by())
def test_so_it_is_posted(
    told: dict[str, list[str]], names: Names, receiver: Receiver, kind: str
) -> None:
    """An event of each type was posted as its webhook's example says."""
    expected = shown.event(kind)
    payment = names.actual[expected["data"]["payment"]["id"]]

    def found(posted: list[Any]) -> list[dict[str, Any]]:
        events = [json.loads(one.body) for one in posted]
        return [
            one for one in events if one["type"] == kind and one["data"]["payment"]["id"] == payment
        ]

    posted = receiver.wait("/webhooks", lambda all_: bool(found(all_)), seconds_max=10)
    event = found(posted)[0]
    # Each of a payment's events has a number, and an id, of its own.
    known = {name: value for name, value in names.actual.items() if not name.startswith("evt_")}
    event["sequence"] = expected["sequence"]
    assert not differences(Names(known), expected, event)
    webhook = document()["webhooks"][kind]["post"]["requestBody"]["content"]["application/json"]
    assert not list(validator(webhook["schema"]).iter_errors(event))


@pytest.mark.parametrize("operation", operations())
def test_a_key_counts_where_it_is_documented(
    told: dict[str, list[str]], sender: Sender, operation: str
) -> None:
    """A key that is none is refused by those that look at it, and nobody else minds."""
    example = next(one for one in examples_of(operation) if one.reply is not None)
    got = sender.send(replace(example, key="no key" * 50))
    more = got.body.get("details", [])[1:]
    refused = {one["field"] for detail in more for one in detail["field_violations"]}
    assert ("idempotency-key" in refused) == (operation in KEYED)
