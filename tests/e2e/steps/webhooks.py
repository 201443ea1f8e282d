"""Steps about webhooks: endpoints, what they receive, and delivering it once more."""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf import json_format
from pytest_bdd import given, parsers, step, then, when
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from paygate.webhooks.v1.webhook_pb2 import WebhookEndpoint
from tests.e2e.receiver import POLL_SECONDS, Posted, Receiver
from tests.e2e.steps.access import NO_ENDPOINT, requests_with_endpoint
from tests.e2e.steps.merchants import NewMerchant
from tests.e2e.steps.story import Asked, Story, bearer

ARRIVES_SECONDS_MAX = 10.0
STAYS_AWAY_SECONDS = 1.0  # some turns of the relay


@dataclass
class Hooks:
    """What a scenario knows of the endpoints that it has made.

    Attributes:
        receiver: Where they all are, each at a path of its own.
        begin: When the scenario began.
        ids: The endpoints' ids by their names in the scenario.
        secrets: All that was told of their secrets, oldest first.
        endpoint: The last one, as it was last shown.
    """

    receiver: Receiver
    begin: datetime
    ids: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, list[str]] = field(default_factory=dict)
    endpoint: WebhookEndpoint = field(default_factory=WebhookEndpoint)

    def arrived(self, name: str, count: int) -> list[Posted]:
        """Wait for so many requests, and return all there are."""
        return self.receiver.wait(
            f"/{name}", lambda posted: len(posted) >= count, seconds_max=ARRIVES_SECONDS_MAX
        )


@pytest.fixture
def hooks(receiver: Receiver) -> Hooks:
    """The endpoints of a scenario."""
    return Hooks(receiver, datetime.now(UTC))


@given("a merchant of its own")
def own_merchant(story: Story, new_merchant: NewMerchant) -> None:
    """Nobody else's endpoints or events are in the scenario."""
    story.api_key = new_merchant()


@step(
    parsers.re(
        r'I make the endpoint "(?P<name>\w+)"(?: for (?P<types>[a-z_., ]+))?'
        r'(?: with the key "(?P<key>[^"]*)")?'
    )
)
def make_endpoint(
    story: Story, hooks: Hooks, name: str, types: str | None, key: str | None
) -> None:
    """Make an endpoint at a path of the receiver."""
    fields = {
        "url": f"{hooks.receiver.url}/{name}",
        "event_types": types.split(", ") if types else [],
        "description": name,
    }
    message: Any = story.ask("CreateWebhookEndpoint", fields, key=key).message
    assert message is not None, story.answer
    hooks.endpoint = message.endpoint
    hooks.ids[name] = message.endpoint.id
    hooks.secrets[name] = [message.secret]


@when("I make an endpoint with")
def make_bad_endpoint(story: Story, docstring: str) -> None:
    """Send these fields."""
    story.ask("CreateWebhookEndpoint", json.loads(docstring))


@step(parsers.parse("the receiver answers {status:d}"))
def receiver_answers(hooks: Hooks, status: int) -> None:
    """From now on."""
    hooks.receiver.status = status


@then(parsers.re(r'"(?P<name>\w+)" receives (?P<types>[a-z_., ]+), in this order'))
def receives(hooks: Hooks, name: str, types: str) -> None:
    """These events and no others, each once, each signed as Standard Webhooks 1.0 says."""
    wanted = types.split(", ")
    posted = hooks.arrived(name, len(wanted))
    events = [verified(one, hooks.secrets[name][-1]) for one in posted]
    assert [event["type"] for event in events] == wanted
    sequences = [int(event["sequence"]) for event in events]
    assert sequences == sorted(set(sequences))
    assert [event["id"] for event in events] == [one.headers["webhook-id"] for one in posted]


@then(parsers.parse('"{name}" receives nothing more'))
def receives_no_more(hooks: Hooks, name: str) -> None:
    """For some turns of the relay nothing comes."""
    before = len(hooks.receiver.posted(f"/{name}"))
    time.sleep(STAYS_AWAY_SECONDS)
    assert len(hooks.receiver.posted(f"/{name}")) == before


@then("the body shows payment and action as the API does")
def body_is_public(story: Story, hooks: Hooks) -> None:
    """What is posted is the event that the API returns, field for field."""
    (name,) = hooks.ids
    for posted in hooks.receiver.posted(f"/{name}"):
        event_id = posted.headers["webhook-id"]
        message: Any = story.ask("GetEvent", {"id": event_id}).message
        shown = json_format.MessageToDict(
            message.event,
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=True,
        )
        assert json.loads(posted.body) == shown
        assert shown["data"]["payment"]["id"] == story.payment.id


@when(parsers.re(r'I rotate the secret of "(?P<name>\w+)"(?: with (?P<seconds>\d+) s of overlap)?'))
def rotate(story: Story, hooks: Hooks, name: str, seconds: str | None) -> None:
    """Ask for a new secret."""
    overlap = {} if seconds is None else {"overlap_seconds": int(seconds)}
    message: Any = story.ask("RotateWebhookSecret", {"id": hooks.ids[name], **overlap}).message
    hooks.secrets[name].append(message.secret)


@then(
    parsers.re(r'the last delivery to "(?P<name>\w+)" verifies with (?P<which>both|only the new)')
)
def verifies(hooks: Hooks, name: str, which: str) -> None:
    """The PyPI library takes it with these secrets."""
    posted = hooks.receiver.posted(f"/{name}")[-1]
    *old, new = hooks.secrets[name]
    verified(posted, new)
    for secret in old:
        if which == "both":
            verified(posted, secret)
        else:
            with pytest.raises(WebhookVerificationError):
                verified(posted, secret)


@then(parsers.re(r'"(?P<name>\w+)" has received (?P<count>\d+) requests?'))
def has_received(hooks: Hooks, name: str, count: str) -> None:
    """So many have come, and no more yet."""
    assert len(hooks.arrived(name, int(count))) == int(count)


@when(parsers.parse('I update "{name}" with'))
def update(story: Story, hooks: Hooks, name: str, docstring: str) -> None:
    """Change these fields."""
    story.ask("UpdateWebhookEndpoint", {"id": hooks.ids[name], **json.loads(docstring)})


@when(parsers.parse('I delete "{name}"'))
def delete(story: Story, hooks: Hooks, name: str) -> None:
    """Remove it."""
    assert story.ask("DeleteWebhookEndpoint", {"id": hooks.ids[name]}).error is None


@then(parsers.re(r'"(?P<name>\w+)" (?:is|becomes) (?P<status>ENABLED|DISABLED)'))
def becomes(story: Story, hooks: Hooks, name: str, status: str) -> None:
    """The endpoint says so, perhaps after the relay's next turn."""
    wanted = WebhookEndpoint.Status.Value(f"STATUS_{status}")
    deadline = time.monotonic() + ARRIVES_SECONDS_MAX
    while True:
        message: Any = story.ask("GetWebhookEndpoint", {"id": hooks.ids[name]}).message
        if message.endpoint.status == wanted:
            return
        assert time.monotonic() < deadline, message
        time.sleep(POLL_SECONDS)


@then(parsers.parse("the endpoints are {names}"))
def endpoints_are(story: Story, hooks: Hooks, names: str) -> None:
    """All of the merchant's, newest first, read in pages of one."""
    called = {endpoint_id: name for name, endpoint_id in hooks.ids.items()}
    found, token = [], ""
    while True:
        fields = {"page_size": 1, "page_token": token}
        message: Any = story.ask("ListWebhookEndpoints", fields).message
        found += [called[endpoint.id] for endpoint in message.endpoints]
        token = message.next_page_token
        if not token:
            break
    assert ", ".join(found) == names


@when("I make endpoints until one is refused")
def make_until_refused(story: Story, hooks: Hooks) -> None:
    """Make more and more."""
    for _ in range(30):
        if story.ask("CreateWebhookEndpoint", {"url": hooks.receiver.url}).error is not None:
            return


@when("another merchant uses the endpoint in every request that takes one, and one that is none")
def endpoint_by_another(story: Story, hooks: Hooks) -> None:
    """Send an id that is somebody else's, and one that is nobody's."""
    (mine,) = hooks.ids.values()
    requests = [*requests_with_endpoint(mine), *requests_with_endpoint(NO_ENDPOINT)]
    story.call_all(Asked(*request, bearer(story.other_key)) for request in requests)


def verified(posted: Posted, secret: str) -> dict[str, Any]:
    """Return the event, once the public library has taken its signature."""
    event: dict[str, Any] = Webhook(secret).verify(posted.body, dict(posted.headers))
    return event
