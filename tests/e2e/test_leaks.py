"""Nothing leaks: after traffic with a card that no other test uses, its number is in no file."""

import base64
import json

import grpc
import pytest
import urllib3

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.e2e.stack import Stack

PAN, CVV = "374712345678906", "7391"  # American Express, Luhn-valid
WRITTEN = [PAN, "3747 123456 78906", "3747-123456-78906"]
CARD = {"pan": PAN, "expiry": {"month": 12, "year": 2035}, "cvv": CVV}
AMOUNT = {"minor_units": 1000, "currency": "GBP"}

# Each is a way in for a card's number; most are refused, some before any service sees them.
BODIES = [
    {"card_details": CARD, "amount": AMOUNT},
    {"card_details": {**CARD, "pan": WRITTEN[1]}, "amount": AMOUNT, "reference": "spaced"},
    {"card_details": {**CARD, "pan": WRITTEN[2]}, "amount": AMOUNT},
    {"card_details": {**CARD, "cvv": PAN}, "amount": AMOUNT},
    {"card_details": {**CARD, "expiry": PAN}, "amount": AMOUNT},
    {"card_details": CARD, "amount": {"minor_units": PAN + "x", "currency": PAN}},
    {"card_details": CARD, "amount": {"minor_units": "1", "currency": PAN}},
    {"card_details": CARD},
    {"authorization_id": PAN, "amount": AMOUNT},
]


@pytest.fixture(scope="module")
def replies(stack: Stack) -> list[str]:
    """Send the card in every way, over both protocols; return all that came back."""
    http, told = urllib3.PoolManager(), []
    headers = {"authorization": f"Bearer {stack.api_key}", "content-type": "application/json"}
    raw = [json.dumps(body) for body in BODIES]
    raw += [raw[0][:-1], raw[0].replace('"amount"', f"'{PAN}'"), f'"{PAN}"', f'{{"{PAN}": 1}}']
    for path in ("/authorize", "/capture", f"/payment/{PAN}", f"/{PAN}"):
        for body in raw:
            for key in ("", f"key-{len(body)}"):
                sent = {**headers, "idempotency-key": key} if key else headers
                reply = http.request("POST", stack.url + path, body=body, headers=sent)
                told.append(reply.data.decode() + str(reply.headers))
    with grpc.insecure_channel(stack.grpc) as channel:
        stub = PaymentServiceStub(channel)
        for expiry in (pb.Expiry(month=12, year=2035), pb.Expiry(month=13, year=1)):
            request = service.AuthorizeRequest(
                card_details=pb.CardDetails(pan=PAN, expiry=expiry, cvv=CVV),
                amount=pb.Amount(minor_units=1000, currency="GBP"),
            )
            try:
                call = stub.Authorize.with_call(
                    request, metadata=(("authorization", f"Bearer {stack.api_key}"),)
                )
                told.append(str(call[0]))
            except grpc.RpcError as problem:
                told.append(str(problem))
    return told


def test_no_reply_repeats_a_card_number(replies: list[str]) -> None:
    """Neither a result nor an error says the number or the CVV of the card it is about."""
    assert any("STATUS_AUTHORIZED" in reply for reply in replies)
    for reply in replies:
        assert not any(written in reply for written in WRITTEN), reply
        assert f'"{CVV}"' not in reply


def test_no_file_holds_a_card_number(stack: Stack, replies: list[str]) -> None:
    """Logs, database files and the write-ahead log hold neither the number nor the API key."""
    secrets = [*(written.encode() for written in WRITTEN), stack.api_key.encode()]
    files = [path for path in stack.data_dir.rglob("*") if path.is_file()]
    holders = [path for path in files if any(secret in path.read_bytes() for secret in secrets)]
    assert any("pg_wal" in path.parts for path in files)
    # Where the demo merchant's key is kept for whoever runs the gateway.
    assert {path.name.partition("-")[0] for path in holders} == {"demo.env", "demo"}
    assert {path.parent for path in holders} == {stack.data_dir}


def test_no_file_holds_a_signing_secret(stack: Stack) -> None:
    """Neither what was told of a webhook's secret nor its bytes are in any file."""
    headers = {"authorization": f"Bearer {stack.api_key}", "content-type": "application/json"}
    body = json.dumps({"url": "http://127.0.0.1:9/hooks", "event_types": ["payment.expired"]})
    endpoints = f"{stack.url}/webhook-endpoints"
    made = urllib3.request("POST", endpoints, body=body, headers=headers).json()
    path = f"{endpoints}/{made['endpoint']['id']}"
    rotated = urllib3.request("POST", f"{path}/rotate-secret", body="{}", headers=headers).json()
    secrets = [reply["secret"].removeprefix("whsec_") for reply in (made, rotated)]
    written = [form for text in secrets for form in (text.encode(), base64.b64decode(text))]
    files = [path for path in stack.data_dir.rglob("*") if path.is_file()]
    assert not [path for path in files if any(form in path.read_bytes() for form in written)]
    assert urllib3.request("DELETE", path, headers=headers).status == 200
