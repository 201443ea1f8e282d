"""The examples of build/openapi.json: there is one of everything, and each is as its schema says.

That they are what the running stack answers, tests/openapi finds out.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from pkg.grpc.refusals import internal
from tests.openapi.document import document, operations, resolved, validator
from tools.openapi import shown
from tools.openapi.errors import example_name
from tools.openapi.examples import events, story
from tools.openapi.reasons import REASONS, with_name
from tools.openapi.webhooks import EVENTS

# What nobody can bring about when they like: the texts are those of the code, and of envoy.yaml.
NOT_SENT = {
    (400, "SANDBOX_LIMIT"),  # takes 500 of them
    (408, "DEADLINE_EXCEEDED"),  # takes ten seconds
    (409, "CONCURRENT_UPDATE"),  # takes two seconds of others who are always faster
    (426, "MALFORMED_REQUEST"),  # takes HTTP/1.0
    (431, "MALFORMED_REQUEST"),  # takes headers without end
    (429, "WATCH_LIMIT"),  # takes five streams, which stay open
    (500, "INTERNAL"),
    (503, "DEPENDENCY_UNAVAILABLE"),
    (503, "OVERLOADED"),
    (503, "WATCH_ENDED"),  # takes the end of a worker
    (504, "DEADLINE_EXCEEDED"),
}
# For these the sandbox has no card; a test is about no payment.
NOT_MADE = {"payment.void_failed", "payment.refund_failed", "webhook.test"}


def shown_with(told: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """Return each example in a part of the document with its schema."""
    if isinstance(told, list):
        for one in told:
            yield from shown_with(one)
    elif isinstance(told, dict):
        if "schema" in told and "examples" in told:
            for example in told["examples"].values():
                yield told["schema"], resolved(example)["value"]
        for name, one in told.items():
            if name not in {"examples", "schema"}:
                yield from shown_with(one)


def test_each_is_as_its_schema_says() -> None:
    """Bodies, parameters, replies, refusals and events."""
    found = list(
        shown_with([document()["paths"], document()["webhooks"], document()["components"]])
    )
    assert len(found) > 200
    for schema, value in found:
        wrong = [error.message for error in validator(schema).iter_errors(value)]
        assert not wrong, (value, wrong)


@pytest.mark.parametrize("operation", operations())
def test_each_operation_has_one(operation: str) -> None:
    """A request that is carried out, with its reply."""
    response = operations()[operation]["responses"]["200"]
    (content,) = response["content"].values()
    assert content["examples"]


def test_each_reason_has_one() -> None:
    """It is sent to a running stack, but for the few that nobody can bring about."""
    shown_ones = document()["components"]["examples"]
    assert set(shown_ones) == {example_name(key) for key in REASONS}
    sent = {with_name(one.reason, one.status).key for one in story() if one.reason}
    assert set(REASONS) - sent == NOT_SENT


def test_each_event_has_one() -> None:
    """It is compared with what is posted, but for those that no card makes."""
    assert set(EVENTS) - set(events()) == NOT_MADE


def test_a_bug_looks_like_one() -> None:
    """Its example is what is printed of one, with the id that the service puts there."""
    value = shown.general()["INTERNAL"]["value"]
    info = value["details"][0]
    bug = internal(info["metadata"]["request_id"])
    assert (value["message"], info["metadata"]) == (bug.message, bug.metadata)
