"""Nothing leaks: after everything that ran on the stack of the session, no secret is anywhere.

The cards of the scenarios have numbers that are nobody else's, and every API key and signing secret
that a scenario used is searched for, in the forms that `tests.leaks` names, in the places that
`tests.e2e.places` names and in what merchants' endpoints received. Conftest puts this module last.
"""

import json
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import grpc
import psutil
import pytest
import urllib3

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.e2e.places import places_of, queried
from tests.e2e.receiver import Receiver
from tests.e2e.seen import Seen
from tests.e2e.stack import Stack
from tests.leaks import Search, Secrets, holders
from tests.sentinels import AMEX, AMEX_CVV, CVV, MARK, PANS, written

WRITTEN = written(AMEX)
CARD = {"pan": AMEX, "expiry": {"month": 12, "year": 2035}, "cvv": AMEX_CVV}
AMOUNT = {"minor_units": 1000, "currency": "GBP"}
EVENT_SECONDS_MAX = 10.0

# Each is a way in for a card's number; most are refused, some before any service sees them.
BODIES = [
    {"card_details": CARD, "amount": AMOUNT},
    {"card_details": {**CARD, "pan": WRITTEN[1]}, "amount": AMOUNT, "reference": "spaced"},
    {"card_details": {**CARD, "pan": WRITTEN[2]}, "amount": AMOUNT},
    {"card_details": {**CARD, "cvv": AMEX}, "amount": AMOUNT},
    {"card_details": {**CARD, "expiry": AMEX}, "amount": AMOUNT},
    {"card_details": CARD, "amount": {"minor_units": AMEX + "x", "currency": AMEX}},
    {"card_details": CARD, "amount": {"minor_units": "1", "currency": AMEX}},
    {"card_details": CARD},
    {"authorization_id": AMEX, "amount": AMOUNT},
]


@pytest.fixture(scope="module")
def headers(stack: Stack) -> dict[str, str]:
    """What the demo merchant sends with JSON."""
    return {"authorization": f"Bearer {stack.api_key}", "content-type": "application/json"}


@pytest.fixture(scope="module")
def endpoint(stack: Stack, headers: dict[str, str], seen: Seen) -> Iterator[Receiver]:
    """A webhook endpoint of the demo merchant, whose secret was rotated once."""
    receiver = Receiver()
    paths = f"{stack.url}/webhook-endpoints"
    body = json.dumps({"url": f"{receiver.url}/hooks"})
    made = urllib3.request("POST", paths, body=body, headers=headers).json()
    path = f"{paths}/{made['endpoint']['id']}"
    rotated = urllib3.request("POST", f"{path}/rotate-secret", body="{}", headers=headers).json()
    seen.signing_secrets |= {made["secret"], rotated["secret"]}
    yield receiver
    assert urllib3.request("DELETE", path, headers=headers).status == 200
    receiver.close()


@pytest.fixture(scope="module")
def replies(stack: Stack, headers: dict[str, str], endpoint: Receiver) -> list[str]:
    """Send a card in every way, over both protocols; return all that came back."""
    http, told = urllib3.PoolManager(), []
    raw = [json.dumps(body) for body in BODIES]
    raw += [raw[0][:-1], raw[0].replace('"amount"', f"'{AMEX}'"), f'"{AMEX}"', f'{{"{AMEX}": 1}}']
    for path in ("/authorize", "/capture", f"/payment/{AMEX}", f"/{AMEX}"):
        for body in raw:
            for key in ("", f"key-{len(body)}"):
                sent = {**headers, "idempotency-key": key} if key else headers
                reply = http.request("POST", stack.url + path, body=body, headers=sent)
                told.append(reply.data.decode() + str(reply.headers))
    # A byte that is no text, behind what must not be logged.
    no_text = {"authorization": f"{headers['authorization']}\xff", "x-note": f"{AMEX}\xff"}
    for path in ("/payments", "/events"):
        reply = http.request("GET", stack.url + path, headers=no_text)
        assert reply.status in {400, 401}
        told.append(reply.data.decode() + str(reply.headers))
    with grpc.insecure_channel(stack.grpc) as channel:
        stub = PaymentServiceStub(channel)
        for expiry in (pb.Expiry(month=12, year=2035), pb.Expiry(month=13, year=1)):
            request = service.AuthorizeRequest(
                card_details=pb.CardDetails(pan=AMEX, expiry=expiry, cvv=AMEX_CVV),
                amount=pb.Amount(minor_units=1000, currency="GBP"),
            )
            try:
                call = stub.Authorize.with_call(
                    request, metadata=(("authorization", headers["authorization"]),)
                )
                told.append(str(call[0]))
            except grpc.RpcError as problem:
                told.append(str(problem))
    endpoint.wait("/hooks", lambda posted: len(posted) > 0, seconds_max=EVENT_SECONDS_MAX)
    return told


def test_no_reply_repeats_a_card_number(replies: list[str]) -> None:
    """Neither a result nor an error says the number or the CVV of the card it is about."""
    assert any("STATUS_AUTHORIZED" in reply for reply in replies)
    search = Search(Secrets(pans=PANS, cvvs=(CVV, AMEX_CVV)))
    for reply in replies:
        assert search.of(reply.encode()) == [], reply
        assert f'"{AMEX_CVV}"' not in reply
    assert MARK not in "".join(replies)


def test_no_secret_is_anywhere(
    stack: Stack, replies: list[str], endpoint: Receiver, seen: Seen
) -> None:
    """Dump, database files, WAL, logs, Envoy's and our own pages, webhooks: none holds a secret."""
    secrets = Secrets(
        pans=PANS,
        cvvs=(CVV, AMEX_CVV),
        api_keys=sorted({stack.api_key, *seen.api_keys}),
        signing_secrets=sorted(seen.signing_secrets),
    )
    received = (
        (f"webhook {number}", str(posted.headers).encode() + posted.body)
        for number, posted in enumerate([*seen.posted, *endpoint.everything])
    )
    names: set[str] = set()
    found = holders(Search(secrets), _noted(chain(places_of(stack), received), names))
    # Where the demo merchant's key is told to whoever runs the gateway. That it is found shows that
    # the search works.
    told = {name for name in names if name == "demo.env" or name.startswith("demo-key-")}
    assert found == {name: ["an API key as text"] for name in (*told, "output of make run")}
    pages = ("Envoy's /stats", "/metrics of payments-1", "/metrics of acquirer")
    for place in ("dump of all databases", "webhook 0", "logs/postgres.log", *pages):
        assert place in names
    assert any("pg_wal" in name for name in names)


def test_only_cards_that_were_approved_are_kept(stack: Stack, replies: list[str]) -> None:
    """Of all that every scenario sent, nothing is left of cards that were declined or failed."""
    assert replies
    counts = (
        "SELECT (SELECT count(*) FROM cards), (SELECT count(*) FROM removed_cards),"
        " (SELECT count(*) FROM cards c JOIN payments p"
        " ON p.merchant_id = c.merchant_id AND p.card_token = c.token"
        " AND p.create_time = c.create_time AND p.status IN ('DECLINED', 'FAILED'))"
    )
    kept, removed, wrong = map(int, queried(stack, "payments", counts).split(b"|"))
    assert kept > 0
    assert removed > 0
    assert wrong == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the limits of a process")
def test_no_process_writes_its_memory_to_disk(stack: Stack) -> None:
    """Core dumps are off for every process: the memory of some holds card numbers."""
    for name, pid in stack.pids().items():
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            limits = Path(f"/proc/{process.pid}/limits").read_text().splitlines()
            (core,) = [line.split()[4:6] for line in limits if line.startswith("Max core file")]
            assert core == ["0", "0"], name


def _noted(places: Iterator[tuple[str, bytes]], names: set[str]) -> Iterator[tuple[str, bytes]]:
    for name, data in places:
        names.add(name)
        yield name, data
