"""Traces of the real stack: one for each request, through every process, and no secret in any."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
import urllib3

from paygate.events.v1.event_pb2 import PaymentEvent
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.collector import Collector, Recorded
from tests.e2e.receiver import Posted, Receiver
from tests.e2e.stack import Stack
from tests.leaks import Search, Secrets
from tests.sentinels import AMEX, AMEX_CVV, CVV, PANS, VISA

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
KEY = "the-idempotency-key-1"
PROCESSES = {"paygate-edge", "paygate-payments", "paygate-acquirer", "paygate-relay"}
BANK = "paygate.acquirer.v1.AcquirerService/Authorize"
SECONDS_MAX = 30.0


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Where spans go."""
    running = Collector()
    yield running
    running.__exit__()


@pytest.fixture(scope="module")
def traced(collector: Collector) -> Iterator[Stack]:
    """A stack that sends its spans there."""
    with Stack(workers=1, environment=collector.environment) as running:
        yield running.start()
        if running.supervisor is not None:
            assert running.stop() == 0, running.output


@pytest.fixture(scope="module")
def hook(traced: Stack) -> Iterator[Receiver]:
    """An endpoint of the merchant's."""
    receiver = Receiver()
    body = json.dumps({"url": f"{receiver.url}/hook"})
    made = urllib3.request(
        "POST", f"{traced.url}/webhook-endpoints", body=body, headers=headers(traced)
    )
    assert made.status == 200
    yield receiver
    receiver.close()


def headers(stack: Stack) -> dict[str, str]:
    """Return what every request needs."""
    return {"authorization": f"Bearer {stack.api_key}", "content-type": "application/json"}


def authorize(
    stack: Stack, pan: str, cvv: str, more: dict[str, str] | None = None
) -> urllib3.BaseHTTPResponse:
    """Authorize £10 by REST."""
    card = {"pan": pan, "expiry": {"month": 12, "year": 2035}, "cvv": cvv}
    body = {"card_details": card, "amount": {"minor_units": 1000, "currency": "GBP"}}
    reply = urllib3.request(
        "POST",
        f"{stack.url}/authorize",
        body=json.dumps(body),
        headers={**headers(stack), **(more or {})},
    )
    assert reply.status == 200
    return reply


def stored_events(stack: Stack) -> list[PaymentEvent]:
    """Return what the outbox of a stack holds, the oldest first."""
    programs = Path(psutil.Process(stack.pids()["postgres"]).exe()).parent
    sockets = str((stack.data_dir / "run" / "sockets").resolve())
    query = "SELECT encode(payload, 'hex') FROM outbox ORDER BY create_time"
    command = (str(programs / "psql"), "-h", sockets, "-U", "postgres", "-d", "payments")
    ran = subprocess.run(
        (*command, "-tAc", query), capture_output=True, text=True, check=True, timeout=SECONDS_MAX
    )
    return [PaymentEvent.FromString(bytes.fromhex(line)) for line in ran.stdout.split()]


def one(spans: list[Recorded], process: str, name: str) -> Recorded:
    """Return the only span of a process with that name."""
    (found,) = [span for span in spans if (span.service, span.name) == (process, name)]
    return found


def test_a_request_is_one_trace_through_every_process(
    traced: Stack, collector: Collector, hook: Receiver
) -> None:
    """The client's, Envoy's, the worker's, the bank's and the relay's spans hang together."""
    sent = {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-00", "idempotency-key": KEY}
    reply = authorize(traced, VISA, CVV, sent)
    request_id = reply.headers["x-request-id"]
    payment_id = reply.json()["payment"]["id"]
    collector.wait(
        lambda _: {span.service for span in collector.trace(TRACE_ID)} == PROCESSES,
        seconds_max=SECONDS_MAX,
    )

    spans = collector.trace(TRACE_ID)
    (edge,) = [span for span in spans if span.service == "paygate-edge"]
    worker = one(spans, "paygate-payments", "paygate.payments.v1.PaymentService/Authorize")
    call = one(spans, "paygate-payments", BANK)
    bank = one(spans, "paygate-acquirer", BANK)
    webhook = one(spans, "paygate-relay", "webhook")
    assert [edge.parent_id, worker.parent_id, call.parent_id, bank.parent_id] == [
        SPAN_ID,
        edge.span_id,
        worker.span_id,
        call.span_id,
    ]
    assert webhook.parent_id == worker.span_id
    assert [span.kind for span in (edge, worker, call, bank, webhook)] == [
        *("SERVER", "SERVER", "CLIENT", "SERVER", "CLIENT")
    ]
    assert {span.attributes["paygate.request_id"] for span in (worker, bank, webhook)} == {
        request_id
    }
    assert worker.attributes["paygate.payment_id"] == payment_id
    assert webhook.attributes["http.response.status_code"] == "200"
    commits = [span for span in spans if span.name == "commit"]
    assert [span.parent_id for span in commits] == [worker.span_id] * 2
    statements = {span.name: span.parent_id for span in spans}
    assert statements["UPDATE payments"] in {span.span_id for span in commits}
    assert not any(span.is_error for span in spans)

    (event,) = stored_events(traced)
    assert event.request_id == request_id
    assert event.traceparent == f"00-{TRACE_ID}-{worker.span_id}-01"
    (posted,) = hook.wait("/hook", lambda posted: len(posted) == 1, seconds_max=SECONDS_MAX)
    assert_is_told_nothing(posted)


def assert_is_told_nothing(posted: Posted) -> None:
    """A webhook is as it was: nothing of the trace goes to strangers."""
    assert "traceparent" not in posted.headers
    assert "traceparent" not in posted.body.decode()
    assert "request_id" not in posted.body.decode()


def refusals(spans: list[Recorded]) -> list[object]:
    """Return why the workers have refused calls."""
    return [
        span.attributes.get("error.type") for span in spans if span.service == "paygate-payments"
    ]


def test_no_span_holds_a_secret(traced: Stack, collector: Collector, hook: Receiver) -> None:
    """No card, CVV, API key or idempotency key, wherever a client has put it; both protocols."""
    authorize(traced, AMEX, AMEX_CVV, {"idempotency-key": KEY + "-amex"})
    odd = {
        **headers(traced),
        "user-agent": AMEX,
        "host": f"{AMEX}.example",
        "tracestate": f"a={AMEX}",
        "x-request-id": AMEX,
        "baggage": f"pan={AMEX}",
    }
    before = len(collector.spans)
    broken = {**odd, "traceparent": AMEX}  # of which the edge makes no span
    urllib3.request("GET", f"{traced.url}/payment/{AMEX}", headers=broken)
    for path in (f"/payment/{AMEX}", f"/{AMEX}", f"/payments?reference={AMEX}", "/authorize"):
        for method in ("GET", "POST"):
            body = json.dumps({"card_details": {"pan": AMEX}, "reference": AMEX})
            urllib3.request(method, traced.url + path, headers=odd, body=body)
    with grpc.insecure_channel(traced.grpc) as channel:
        request = service.AuthorizeRequest(
            card_details=pb.CardDetails(pan=AMEX, expiry=pb.Expiry(month=13), cvv=AMEX_CVV)
        )
        sent = (("authorization", f"Bearer {traced.api_key}"), ("idempotency-key", KEY))
        with pytest.raises(grpc.RpcError):
            PaymentServiceStub(channel).Authorize(request, metadata=sent)
        unknown: Any = channel.unary_unary(f"/{AMEX}/{AMEX}")
        with pytest.raises(grpc.RpcError):
            unknown(b"")
    collector.wait(
        lambda spans: (
            sum(span.service == "paygate-edge" for span in spans[before:]) >= 10
            and "VALIDATION_FAILED" in refusals(spans[before:])
        ),
        seconds_max=SECONDS_MAX,
    )

    secrets = Secrets(
        pans=PANS, cvvs=(CVV, AMEX_CVV), api_keys=[traced.api_key], signing_secrets=[]
    )
    search, bodies = Search(secrets), list(collector.bodies)
    assert search.of(b"a" + AMEX.encode()) != []
    for sent_body in bodies:
        assert search.of(sent_body) == []
        assert KEY.encode() not in sent_body


def test_a_collector_that_is_gone_holds_up_nobody(traced: Stack, collector: Collector) -> None:
    """Requests are answered, and what cannot be sent is given up. Last: it ends both."""
    collector.__exit__()
    for _ in range(20):
        authorize(traced, VISA, CVV)
    began = time.monotonic()
    assert traced.stop() == 0, traced.output
    assert time.monotonic() - began < 10.0  # one process waits for another, 2 s each at most


def test_without_traces_the_request_id_still_goes_everywhere(stack: Stack) -> None:
    """The reply, the bank's log and the event name the same request."""
    reply = authorize(stack, VISA, CVV)
    request_id, payment_id = reply.headers["x-request-id"], reply.json()["payment"]["id"]
    events = [event for event in stored_events(stack) if event.payment.id == payment_id]
    assert [event.request_id for event in events] == [request_id]
    assert [event.traceparent for event in events] == [""]
    deadline = time.monotonic() + SECONDS_MAX
    while request_id not in (stack.data_dir / "logs" / "acquirer.log").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
