"""Steps about events: reading them, what became of them, and delivering them once more."""

import re
import time
from collections.abc import Callable, Sequence
from typing import Any

from pytest_bdd import given, parsers, then, when
from standardwebhooks import Webhook

from paygate.webhooks.v1.webhook_pb2 import Delivery
from tests.e2e.receiver import POLL_SECONDS
from tests.e2e.steps.access import NO_EVENT, requests_with_event
from tests.e2e.steps.story import Asked, Story, bearer, rows
from tests.e2e.steps.webhooks import ARRIVES_SECONDS_MAX, Hooks


@then("the deliveries of the last event become")
def deliveries_become(story: Story, hooks: Hooks, datatable: Sequence[Sequence[str]]) -> None:
    """What became of it at each endpoint, once the relay has noted it."""
    wanted = {hooks.ids[row["endpoint"]]: row for row in rows(datatable)}

    def met(deliveries: Sequence[Delivery]) -> bool:
        found = {one.endpoint_id: shown(one) for one in deliveries}
        return found == {
            endpoint_id: {name: text for name, text in row.items() if name != "endpoint"}
            for endpoint_id, row in wanted.items()
        }

    deliveries_until(story, met)


@when(parsers.re(r'I redeliver the last event(?: to "(?P<name>\w+)")?'))
def redeliver(story: Story, hooks: Hooks, name: str | None) -> None:
    """Ask for it once more."""
    to = {"endpoint_id": hooks.ids[name]} if name else {}
    story.ask("RedeliverEvent", {"id": last_event(story), **to})


@when(parsers.parse('I redeliver what failed at "{name}" since the scenario began'))
def redeliver_failed(story: Story, hooks: Hooks, name: str) -> None:
    """Ask for all of it once more."""
    since = hooks.begin.isoformat().replace("+00:00", "Z")
    story.ask("RedeliverFailedEvents", {"id": hooks.ids[name], "since": since})


@then(parsers.re(r"(?P<count>\d+) (?:is|are) tried anew"))
def tried_anew(story: Story, count: str) -> None:
    """The reply says how many."""
    message: Any = story.answer.message
    assert message is not None, story.answer
    found = len(message.deliveries) if hasattr(message, "deliveries") else message.count
    assert found == int(count)


@then(parsers.re(r"the events with these filters are"))
def events_are(story: Story, datatable: Sequence[Sequence[str]]) -> None:
    """Their types, newest first."""
    for row in rows(datatable):
        fields: dict[str, str] = dict(part.split("=") for part in row["filter"].split())
        if "payment_id" in fields:
            fields["payment_id"] = story.payment.id
        message: Any = story.ask("ListEvents", fields).message
        found = ", ".join(event.type for event in message.events)
        assert (row["filter"], found) == (row["filter"], row["events"])


@when("another merchant uses the last event in every request that takes one, and one that is none")
def event_by_another(story: Story) -> None:
    """Send an id that is somebody else's, and one that is nobody's."""
    requests = [*requests_with_event(last_event(story)), *requests_with_event(NO_EVENT)]
    story.call_all(Asked(*request, bearer(story.other_key)) for request in requests)


@then(parsers.parse('the attempts at "{name}" are'))
def attempts_are(story: Story, hooks: Hooks, name: str, datatable: Sequence[Sequence[str]]) -> None:
    """The last event's, newest first."""
    fields = {"id": last_event(story), "endpoint_id": hooks.ids[name]}
    message: Any = story.ask("ListDeliveryAttempts", fields).message
    found = [
        {"number": str(one.number), "status": str(one.status_code), "error": one.error}
        for one in message.attempts
    ]
    assert found == rows(datatable)


@then(parsers.parse('the failed deliveries to "{name}" are none'))
def none_failed(story: Story, hooks: Hooks, name: str) -> None:
    """There are others."""
    asked = {"id": hooks.ids[name]}
    failed: Any = story.ask("ListEndpointDeliveries", {**asked, "status": "STATUS_FAILED"}).message
    assert not failed.deliveries
    every: Any = story.ask("ListEndpointDeliveries", asked).message
    assert [one.event_id for one in every.deliveries] == [last_event(story)]


@when(parsers.parse('I send a test to "{name}"'))
def send_test(story: Story, hooks: Hooks, name: str) -> None:
    """Ask for it."""
    assert story.ask("SendTestEvent", {"id": hooks.ids[name]}).error is None


@given(parsers.parse('I make an endpoint at "{url}"'))
def make_endpoint_at(story: Story, hooks: Hooks, url: str) -> None:
    """Make an endpoint elsewhere than at the receiver."""
    message: Any = story.ask("CreateWebhookEndpoint", {"url": url}).message
    hooks.secrets["inbox"] = [message.secret]


@then(parsers.parse("the inbox shows {kind}, signed and answered with {status:d}"))
def inbox_shows(story: Story, hooks: Hooks, kind: str, status: int) -> None:
    """Once the relay has had its turn."""
    deadline = time.monotonic() + ARRIVES_SECONDS_MAX
    while True:
        message: Any = story.ask("ListInbox", {}).message
        if message.messages:
            break
        assert time.monotonic() < deadline, "nothing has come"
        time.sleep(POLL_SECONDS)
    (one,) = message.messages
    event = Webhook(hooks.secrets["inbox"][0]).verify(one.body, dict(one.headers))
    assert (event["type"], one.status_code) == (kind, status)


def last_event(story: Story) -> str:
    """Return the id of the merchant's newest event."""
    fields = {"payment_id": story.payment.id, "page_size": 1}
    message: Any = story.call(Asked("ListEvents", fields, story.credentials)).message
    event_id: str = message.events[0].id
    return event_id


def deliveries_until(story: Story, met: Callable[[Sequence[Delivery]], bool]) -> None:
    """Look at the last event's deliveries until they meet a condition; fail if they never do."""
    asked = Asked("ListDeliveries", {"id": last_event(story)}, story.credentials)
    deadline = time.monotonic() + ARRIVES_SECONDS_MAX
    while True:
        message: Any = story.call(asked).message
        if met(message.deliveries):
            return
        assert time.monotonic() < deadline, message
        time.sleep(POLL_SECONDS)


def shown(delivery: Delivery) -> dict[str, str]:
    """Return a delivery as scenarios write it."""
    return {
        "status": re.sub("^STATUS_", "", Delivery.Status.Name(delivery.status)),
        "attempts": str(delivery.attempts),
        "last status": str(delivery.last_status_code),
        "next try": "yes" if delivery.HasField("next_attempt_time") else "no",
    }
