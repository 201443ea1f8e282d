"""What is another merchant's does not exist: every field of every RPC that could name it, tried.

The table in `tenants` says of each field of each request what it names. A new RPC, or a new field
of one, fails the test until it has a row.
"""

import time

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor

from paygate.payments.v1 import payment_service_pb2
from paygate.sandbox.v1 import sandbox_service_pb2
from paygate.webhooks.v1 import webhook_service_pb2
from tests.e2e.clients import Answer, Client, GrpcClient, RestClient
from tests.e2e.operator import Operator
from tests.e2e.rpcs import RPCS
from tests.e2e.tenants import (
    A_POUND,
    AUTHORIZE,
    CARD,
    CASES,
    GOOD,
    LISTED,
    MATRIX,
    MESSAGE,
    NOBODYS,
    PAGE,
    PAYMENT,
    REFUSED,
    Merchant,
    settled,
)

# These differ between any two replies.
OF_THE_REPLY = {"x-request-id", "date"}


@pytest.fixture(scope="module")
def victim(operator: Operator, grpc_client: GrpcClient) -> Merchant:
    """Whose things these are."""
    return settled(operator, grpc_client, "mer_victim", "theirs alone")


@pytest.fixture(scope="module")
def intruder(operator: Operator, grpc_client: GrpcClient) -> Merchant:
    """Who tries them."""
    return settled(operator, grpc_client, "mer_intruder", "somebody else's")


@pytest.fixture(params=["grpc", "rest"])
def client(
    request: pytest.FixtureRequest, grpc_client: GrpcClient, rest_client: RestClient
) -> Client:
    """What the attempt is made over."""
    return grpc_client if request.param == "grpc" else rest_client


def comparable(answer: Answer) -> tuple[object, ...]:
    """Return all of a reply that a client sees, but what is every reply's own."""
    headers = {name: value for name, value in answer.headers.items() if name not in OF_THE_REPLY}
    return answer.code, answer.http_status, answer.body, headers


def requests() -> dict[str, Descriptor]:
    """Return the request of each RPC of each public service that answers once.

    What streams is tried in test_watch.py.
    """
    files = (
        payment_service_pb2.DESCRIPTOR,
        webhook_service_pb2.DESCRIPTOR,
        sandbox_service_pb2.DESCRIPTOR,
    )
    services = [service for file in files for service in file.services_by_name.values()]
    methods = [method for one in services for method in one.methods]
    return {method.name: method.input_type for method in methods if not method.server_streaming}


def test_the_matrix_is_complete() -> None:
    """Every field of every request has a row, and every row is a field's."""
    fields = {rpc: set(request.fields_by_name) for rpc, request in requests().items()}
    assert fields == {rpc: set(row) for rpc, row in MATRIX.items()}
    assert set(RPCS) == set(MATRIX)


def test_what_could_name_something_is_tried() -> None:
    """A field that is called an id, a token or the like is never taken for a plain one."""
    for rpc, row in MATRIX.items():
        for name, kind in row.items():
            suspicious = name == "id" or name.endswith(("_id", "_token", "_ids", "_tokens"))
            assert kind or not suspicious, f"{rpc}.{name}"


@pytest.mark.parametrize(("rpc", "name"), CASES)
def test_what_is_theirs_looks_like_what_never_was(
    victim: Merchant, intruder: Merchant, client: Client, rpc: str, name: str
) -> None:
    """The same bytes and the same headers, whether a thing is another's or nobody's."""
    kind = MATRIX[rpc][name]
    theirs, nobodys = victim.ids.get(kind), NOBODYS.get(kind)
    if kind == PAGE:
        theirs, nobodys = victim.pages[rpc], "AAAA" + victim.pages[rpc][4:]
    before = victim.everything()
    answers = [
        intruder.ask(rpc, {**intruder.own(rpc), name: value}, client=client)
        for value in (theirs, nobodys)
    ]
    assert comparable(answers[0]) == comparable(answers[1])
    if (rpc, name) in LISTED:
        assert answers[0].error is None
        assert not intruder.done(rpc, {name: theirs, "page_size": 1}).ListFields()
        assert victim.done(rpc, {name: theirs, "page_size": 1}).ListFields()
    elif kind == MESSAGE:
        assert answers[0].error is None
        assert not getattr(answers[0].message, "counted", True)
    elif kind == PAGE:
        assert answers[0].info.reason == "INVALID_PAGE_TOKEN"
    else:
        assert answers[0].info.reason == REFUSED[kind]
    assert victim.everything() == before


def test_calls_that_name_what_is_theirs_are_the_callers_own(
    victim: Merchant, intruder: Merchant, client: Client
) -> None:
    """The log shows that somebody asked for another's payment, and nothing of that payment."""
    theirs = victim.ids[PAYMENT]
    asked = {"authorization_id": theirs, "amount": A_POUND}
    assert intruder.ask("Capture", asked, client=client).info.reason == "PAYMENT_NOT_FOUND"
    deadline = time.monotonic() + 10
    while not (found := intruder.done("ListRequests", {"payment_id": theirs}).requests):
        assert time.monotonic() < deadline, "the call was not logged"
        time.sleep(0.05)
    assert {one.reason for one in found} == {"PAYMENT_NOT_FOUND"}
    assert {one.key_id for one in found} == {intruder.api_key.split("_")[1]}
    assert intruder.api_key.split("_")[1] not in {
        one.key_id for one in victim.done("ListRequests", {"payment_id": theirs}).requests
    }


def test_the_owner_gets_what_the_intruder_does_not(victim: Merchant) -> None:
    """The ids and tokens of the table are good ones: each opens something for its owner."""
    for rpc, name in CASES:
        kind = MATRIX[rpc][name]
        if kind != CARD and rpc.startswith(("Get", "List")):
            value = victim.pages[rpc] if kind == PAGE else victim.ids[kind]
            size = {"page_size": 1} if "page_size" in MATRIX[rpc] else {}
            assert victim.done(rpc, {**victim.own(rpc), **size, name: value}).ListFields()


def test_the_card_is_still_its_owners(victim: Merchant) -> None:
    """Nobody else's attempts have used it up or removed it."""
    on_file = {"card_token": victim.ids[CARD], "amount": A_POUND}
    assert victim.done("Authorize", on_file).payment.card.token == victim.ids[CARD]


@pytest.mark.parametrize("rpc", ["Authorize", "Capture", "Refund", "Void"])
def test_an_idempotency_key_is_its_merchants(
    victim: Merchant, intruder: Merchant, client: Client, rpc: str
) -> None:
    """The same key of two merchants is two keys: nothing is replayed, refused or told."""
    key = ("idempotency-key", f"shared-{rpc}-{client.name}")
    answers = []
    for merchant in (victim, intruder):
        headers = (*merchant.credentials, key)
        payment = merchant.done("Authorize", AUTHORIZE).payment.id
        if rpc == "Refund":
            merchant.done("Capture", {"authorization_id": payment, "amount": A_POUND})
        fields = (
            AUTHORIZE if rpc == "Authorize" else {**GOOD.get(rpc, {}), "authorization_id": payment}
        )
        request = json_format.ParseDict(fields, RPCS[rpc].request())
        answers.append(client.call(rpc, request, headers))
    assert [answer.error for answer in answers] == [None, None]
    assert not any(answer.is_replayed for answer in answers)
    assert answers[0].payment.id != answers[1].payment.id


def test_starting_anew_removes_nobody_elses(
    victim: Merchant, operator: Operator, grpc_client: GrpcClient
) -> None:
    """A reset of the sandbox is the merchant's own."""
    before = victim.everything()
    other = settled(operator, grpc_client, "mer_resetting", "soon gone")
    assert other.done("Reset", {}).payments == 2
    assert not other.done("ListPayments", {}).payments
    assert victim.everything() == before
