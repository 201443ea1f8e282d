"""Steps about who may see what."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest
from pytest_bdd import given, parsers, then, when

from paygate.admin.v1 import admin_service_pb2 as admin
from paygate.webhooks.v1.webhook_service_pb2_grpc import WebhookServiceStub
from pkg.grpc.scopes import Scope, to_message
from tests.e2e.clients import Headers
from tests.e2e.operator import Operator
from tests.e2e.rpcs import RPCS, Rpc
from tests.e2e.steps.errors import assert_refused
from tests.e2e.steps.merchants import NewMerchant
from tests.e2e.steps.requests import authorize_fields, later_request
from tests.e2e.steps.story import Asked, Fields, Story, bearer, rows

NO_PAYMENT = "pay_01h455vb4pex5vsknk084sn02q"
NO_CARD = "tok_01h455vb4pex5vsknk084sn02q"
NO_ENDPOINT = "we_01h455vb4pex5vsknk084sn02q"
NO_REQUEST = "00000000-0000-4000-8000-000000000000"
NO_RULE = "rule_01h455vb4pex5vsknk084sn02q"
NO_SANDBOX = "mer_01h455vb4pex5vsknk084sn02q"
NO_EVENT = "evt_01h455vb4pex5vsknk084sn02q"
NOBODY = f"sk_{'0' * 16}_{'0' * 64}"


@pytest.fixture(scope="session")
def ended_keys(operator: Operator) -> Mapping[str, str]:
    """Keys that were good once, by what became of them."""
    for merchant_id in ("mer_ended", "mer_disabled"):
        operator.ask(admin.CreateMerchantRequest(id=merchant_id, name=merchant_id))
    revoked, expired = operator.new_key("mer_ended"), operator.new_key("mer_ended")
    disabled = operator.new_key("mer_disabled")
    operator.ask(admin.RevokeApiKeyRequest(id=revoked.split("_")[1]))
    operator.ask(admin.RotateApiKeyRequest(id=expired.split("_")[1], overlap_seconds=0))
    operator.ask(admin.DisableMerchantRequest(id="mer_disabled"))
    return {
        "a key that was revoked": revoked,
        "a key that has expired": expired,
        "a disabled merchant's": disabled,
    }


@pytest.fixture(scope="session")
def narrow_keys(operator: Operator) -> Mapping[str, str]:
    """Keys that are for one thing each, by the names of their scopes."""
    found = {}
    for scope in Scope:
        merchant_id = f"mer_{scope}"
        operator.ask(admin.CreateMerchantRequest(id=merchant_id, name=merchant_id))
        found[scope.value] = operator.new_key(merchant_id, to_message(scope))
    return found


@when(parsers.parse('I send every request there is with a key that is for "{scope}" only'))
def with_a_narrow_key(story: Story, narrow_keys: Mapping[str, str], scope: str) -> None:
    """With ids of nothing, where there has to be one, and nothing else in them."""
    story.call_all(
        Asked(rpc, _nothings(found), bearer(narrow_keys[scope])) for rpc, found in RPCS.items()
    )


@then(parsers.parse("those {kind} are refused with INSUFFICIENT_SCOPE, and no others"))
def refused_by_scope(story: Story, kind: str) -> None:
    """With words for people, and the scopes that would do."""
    expected = {rpc for rpc, found in RPCS.items() if KINDS[kind](rpc, found)}
    refused = set()
    for rpc, answer in zip(RPCS, story.answers, strict=True):
        if answer.error and answer.info.reason == "INSUFFICIENT_SCOPE":
            assert_refused(answer, "INSUFFICIENT_SCOPE")
            assert answer.info.metadata["any_of"]
            refused.add(rpc)
    assert refused == expected


@given("a merchant with no payments yet")
def newcomer(story: Story, new_merchant: NewMerchant) -> None:
    """From here on the scenario is a new merchant's."""
    story.api_key = new_merchant()


@when("I list payments with each of these as the authorization")
def with_each_authorization(
    story: Story, ended_keys: Mapping[str, str], datatable: Sequence[Sequence[str]]
) -> None:
    """Send what the table describes."""
    texts = [row["authorization"] for row in rows(datatable)]
    wanted = [
        bearer(ended_keys[text]) if text in ended_keys else authorization(story.api_key, text)
        for text in texts
    ]
    story.call_all(Asked("ListPayments", {}, headers) for headers in wanted)


@when("I send every request there is with a wrong key, and each with nothing in it as well")
def every_request(story: Story) -> None:
    """Send good requests and bad ones."""
    requests: list[tuple[str, Fields]] = [
        ("Authorize", authorize_fields("10.00 GBP")),
        ("ListPayments", {}),
        *requests_with_id(story.payment.id),
        ("DeleteCard", {"token": NO_CARD}),
        ("ListWebhookEndpoints", {}),
        ("ListEvents", {}),
        ("GetClock", {}),
        ("ListInbox", {}),
        ("ListDue", {}),
        ("ListTestCards", {}),
        ("ListBankRules", {}),
        ("ListBankRequests", {}),
        ("DeleteBankRule", {"id": NO_RULE}),
        ("ListSandboxes", {}),
        ("DeleteSandbox", {"id": NO_SANDBOX}),
        ("ListRequests", {}),
        ("GetRequest", {"id": NO_REQUEST}),
        *requests_with_endpoint(NO_ENDPOINT),
        *requests_with_event(NO_EVENT),
        *((rpc, {}) for rpc, found in RPCS.items() if _is_bare_post(found)),
    ]
    assert {rpc for rpc, _ in requests} == set(RPCS)
    story.call_all(Asked(*request, bearer(NOBODY)) for request in requests)


@when("I use each of these ids in every request that takes one")
def with_each_id(story: Story, datatable: Sequence[Sequence[str]]) -> None:
    """Send each id in five requests."""
    requests = [one for row in rows(datatable) for one in requests_with_id(row["id"])]
    story.call_all(Asked(*request, story.credentials) for request in requests)


@when("another merchant uses its id in every request that takes one, and the id of no payment")
def by_another_merchant(story: Story) -> None:
    """Send a payment's id that is somebody else's, and one that is nobody's."""
    requests = [*requests_with_id(story.payment.id), *requests_with_id(NO_PAYMENT)]
    story.call_all(Asked(*request, bearer(story.other_key)) for request in requests)


@when(parsers.parse('another merchant lists the payments with the reference "{reference}"'))
def listed_by_another(story: Story, reference: str) -> None:
    """Ask for payments that are somebody else's."""
    mine = Asked("ListPayments", {"reference": reference}, story.credentials)
    assert story.call(mine).message.payments  # type: ignore[union-attr]
    story.send(Asked(mine.rpc, mine.fields, bearer(story.other_key)))


@then("they repeat no key")
def no_key_repeated(story: Story) -> None:
    """No error holds any part of a key."""
    for answer in story.answers:
        assert not re.search(rb"sk_[0-9a-z]", answer.body)
        assert b"wrong" not in answer.body


@then("the last three replies have three different x-request-ids")
def different_ids(story: Story) -> None:
    """A replay is a reply of its own."""
    answers = [*story.past[-2:], *story.answers]
    assert len({answer.headers["x-request-id"] for answer in answers}) == 3


def requests_with_id(payment_id: str) -> Iterator[tuple[str, Fields]]:
    """Return every request that names a payment."""
    yield "GetPayment", {"id": payment_id}
    yield "ListPaymentActions", {"id": payment_id}
    for text in ("capture 1.00 GBP", "void it", "refund 1.00 GBP"):
        yield later_request(payment_id, text)


def requests_with_endpoint(endpoint_id: str) -> Iterator[tuple[str, Fields]]:
    """Return every request that names an endpoint."""
    yield "GetWebhookEndpoint", {"id": endpoint_id}
    yield "UpdateWebhookEndpoint", {"id": endpoint_id, "description": "mine now"}
    yield "RotateWebhookSecret", {"id": endpoint_id}
    yield "RedeliverFailedEvents", {"id": endpoint_id, "since": "2026-01-01T00:00:00Z"}
    yield "ListEndpointDeliveries", {"id": endpoint_id}
    yield "SendTestEvent", {"id": endpoint_id}
    yield "TakeWebhooks", {"endpoint_id": endpoint_id, "listener": "a"}
    yield (
        "AnswerWebhook",
        {
            "endpoint_id": endpoint_id,
            "id": "msg_01h455vb4pex5vsknk084sn02q",
            "status_code": 200,
        },
    )
    yield "DeleteWebhookEndpoint", {"id": endpoint_id}


def requests_with_event(event_id: str) -> Iterator[tuple[str, Fields]]:
    """Return every request that names an event."""
    yield "GetEvent", {"id": event_id}
    yield "ListDeliveries", {"id": event_id}
    yield "ListDeliveryAttempts", {"id": event_id, "endpoint_id": NO_ENDPOINT}
    yield "RedeliverEvent", {"id": event_id}


KINDS: Mapping[str, Callable[[str, Rpc], bool]] = {
    "about webhooks, events and sandboxes": lambda rpc, found: (
        found.stub is WebhookServiceStub or _is_about_sandboxes(rpc)
    ),
    "about anything but webhooks and events": lambda _, found: found.stub is not WebhookServiceStub,
    "about anything but sandboxes": lambda rpc, _: not _is_about_sandboxes(rpc),
    "that change something": lambda rpc, _: not rpc.startswith(("Get", "List")),
}


def _is_about_sandboxes(rpc: str) -> bool:
    return rpc.endswith(("Sandbox", "Sandboxes"))


def _is_bare_post(rpc: Rpc) -> bool:
    return rpc.method == "POST" and "{" not in rpc.path


def authorization(api_key: str, text: str) -> Headers:
    """Return the headers that a row of the table describes."""
    other_end = api_key[:-1] + ("0" if api_key[-1] != "0" else "1")
    values = {
        "nothing": (),
        "an empty one": ("",),
        'the key without "Bearer"': (api_key,),
        'the key under "Basic"': (f"Basic {api_key}",),
        "the key and one letter": (f"Bearer {api_key}a",),
        "the key with another end": (f"Bearer {other_end}",),
        "a key that nobody has": (f"Bearer {NOBODY}",),
        "the key twice": (f"Bearer {api_key}",) * 2,
    }
    return [("authorization", value) for value in values.get(text, (text,))]


def _nothings(rpc: Rpc) -> Fields:
    """Return the id of nothing, where the path has to have one."""
    ids = {"id": NO_PAYMENT, "token": NO_CARD, "endpoint_id": NO_ENDPOINT}
    return {name: value for name, value in ids.items() if f"{{{name}}}" in rpc.path}
