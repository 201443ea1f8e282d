"""Rate limits as clients meet them, through the edge and in both protocols."""

import itertools
import secrets
import time
import uuid
from collections.abc import Iterator

import grpc
import pytest

from paygate.payments.v1 import payment_service_pb2 as pb
from paygate.payments.v1.payment_pb2 import Amount, CardDetails, Expiry, Payment
from paygate.webhooks.v1 import webhook_service_pb2 as hooks
from tests.e2e.clients import Answer, Client, GrpcClient, Headers, RestClient
from tests.e2e.stack import Stack

BURST = 10
# Of calls and of failures: a call a second and a failure in ten are let through again.
LIMITS = {
    "PAYGATE_RATE_LIMIT_PER_SECOND": "1",
    "PAYGATE_RATE_LIMIT_BURST": str(BURST),
    "PAYGATE_AUTHENTICATION_FAILURES_PER_SECOND": "0.1",
    "PAYGATE_AUTHENTICATION_FAILURES_BURST": "5",
    "PAYGATE_CARD_DECLINES_PER_HOUR": "60",
    "PAYGATE_CARD_DECLINES_BURST": "2",
}
TRIED = {"REST": "4000000000000127", "gRPC": "4000000000000002"}
CARD = CardDetails(pan="4242424242424242", expiry=Expiry(month=12, year=2035), cvv="123")


@pytest.fixture(scope="module")
def limited() -> Iterator[Stack]:
    """A stack of its own that is strict, with one worker."""
    with Stack(workers=1, environment=LIMITS) as running:
        yield running.start()


@pytest.fixture(params=["REST", "gRPC"])
def client(request: pytest.FixtureRequest, limited: Stack) -> Iterator[Client]:
    """A client of each protocol."""
    if request.param == "REST":
        with RestClient(limited.url) as rest:
            yield rest
    else:
        with GrpcClient(limited.grpc) as native:
            yield native


def authorize(client: Client, key: str, *, idempotency_key: str, pence: int) -> Answer:
    """Authorize."""
    request = pb.AuthorizeRequest(
        card_details=CARD, amount=Amount(minor_units=pence, currency="GBP")
    )
    headers = (("authorization", f"Bearer {key}"), ("idempotency-key", idempotency_key))
    return client.call("Authorize", request, headers)


def limited_by(answers: Iterator[Answer]) -> Answer:
    """Return the first answer that is a refusal for the rate; others before it are none."""
    for number, answer in enumerate(answers):
        if answer.error is not None:
            assert answer.code is grpc.StatusCode.RESOURCE_EXHAUSTED
            return answer
        assert number < 3 * BURST, "nothing is limited"
    raise AssertionError


def assert_rate_limited(answer: Answer) -> int:
    """Check a refusal for the rate, and return after how many seconds to come again."""
    assert answer.http_status in {429, None}
    assert (answer.info.reason, dict(answer.info.metadata)) == ("RATE_LIMITED", {})
    assert answer.headers["x-request-id"]
    return int(answer.headers["retry-after"])


def test_a_key_has_a_rate(client: Client, limited: Stack) -> None:
    """Past it nothing is done, and nothing stored: the idempotency key is free a second later."""
    key, idempotency_key = limited.api_key, uuid.uuid4().hex
    headers = (("authorization", f"Bearer {key}"),)
    reads = (client.call("ListPayments", pb.ListPaymentsRequest(), headers) for _ in iter(int, 1))
    assert assert_rate_limited(limited_by(reads)) == 1
    refused = authorize(client, key, idempotency_key=idempotency_key, pence=1000)
    time.sleep(assert_rate_limited(refused))  # as the client is told
    answer = authorize(client, key, idempotency_key=idempotency_key, pence=2000)
    assert answer.payment.status == Payment.STATUS_AUTHORIZED
    assert not answer.is_replayed


def test_webhooks_have_the_same_rate(client: Client, limited: Stack) -> None:
    """Each process counts for itself, by the same rule."""
    headers = (("authorization", f"Bearer {limited.api_key}"),)
    request = hooks.ListWebhookEndpointsRequest()
    reads = (client.call("ListWebhookEndpoints", request, headers) for _ in iter(int, 1))
    assert_rate_limited(limited_by(reads))


def test_the_sandbox_counts_with_the_payments(limited: Stack) -> None:
    """It is in the same process, and of the same key."""
    headers = (("authorization", f"Bearer {limited.api_key}"),)
    with RestClient(limited.url) as rest:
        reads = (rest.send("GET", "/sandbox/clock", b"", headers) for _ in itertools.count())
        assert_rate_limited(limited_by(reads))


def guess(number: int) -> Headers:
    """Return the headers of a guesser who says to be somebody else each time."""
    api_key = f"sk_{secrets.token_hex(8)}_{secrets.token_hex(32)}"
    return ("authorization", f"Bearer {api_key}"), ("x-forwarded-for", f"203.0.113.{number}")


def test_who_guesses_keys_is_stopped_and_nobody_else(client: Client, limited: Stack) -> None:
    """By the address that the edge has seen, not by one that the guesser names."""
    key = limited.api_key
    good = (("authorization", f"Bearer {key}"),)
    request = pb.GetPaymentRequest(id="pay_x")
    assert client.call("GetPayment", request, good).info.reason != "INVALID_API_KEY"
    answers = [client.call("GetPayment", request, guess(number)) for number in range(8)]
    assert {answer.info.reason for answer in answers} <= {"INVALID_API_KEY", "RATE_LIMITED"}
    assert 1 <= assert_rate_limited(answers[-1]) <= 10
    time.sleep(1.0)  # the good key's own rate
    assert client.call("GetPayment", request, good).info.reason == "PAYMENT_NOT_FOUND"


def test_who_tries_out_a_card_is_stopped(client: Client, limited: Stack) -> None:
    """After so many declines the card is refused before the bank is asked, and says until when."""
    time.sleep(3.0)  # the key's own rate
    request = pb.AuthorizeRequest(
        card_details=CardDetails(
            pan=TRIED[client.name], expiry=Expiry(month=12, year=2035), cvv="123"
        ),
        amount=Amount(minor_units=1000, currency="GBP"),
    )
    headers = (("authorization", f"Bearer {limited.api_key}"),)
    answers = [client.call("Authorize", request, headers) for _ in range(3)]
    assert [answer.error for answer in answers[:2]] == [None, None]
    assert {answer.payment.status for answer in answers[:2]} == {Payment.STATUS_DECLINED}
    assert 50 <= assert_rate_limited(answers[2]) <= 60
