"""What clients see at the edge while the workers are away or slow."""

import json
import os
import signal
import threading

import grpc
import pytest
import urllib3

from paygate.payments.v1 import payment_service_pb2 as pb
from paygate.payments.v1 import payment_service_pb2_grpc as rpc
from tests.e2e.stack import Stack

# The bank takes 2 s for this card: time enough to lose the worker meanwhile.
SLOW_CARD = {"pan": "4000000000001075", "expiry": {"month": 12, "year": 2030}, "cvv": "123"}
SLOW = {"card_details": SLOW_CARD, "amount": {"minor_units": 1000, "currency": "GBP"}}


def post(stack: Stack) -> urllib3.BaseHTTPResponse:
    """Authorize with the slow card."""
    return urllib3.request(
        "POST",
        f"{stack.url}/authorize",
        body=json.dumps(SLOW),
        headers={
            "authorization": f"Bearer {stack.api_key}",
            "content-type": "application/json",
        },
        retries=False,
        timeout=15.0,
    )


def assert_try_again(reply: urllib3.BaseHTTPResponse, status: int, reason: str) -> None:
    """Check the shape of an error that is worth a retry with the same key."""
    assert reply.status == status, reply.data
    assert reply.headers["content-type"] == "application/json"
    assert "x-request-id" in reply.headers
    (info,) = reply.json()["details"]
    assert (info["domain"], info["reason"]) == ("paygate", reason)


def test_a_request_that_loses_its_worker_may_be_tried_again(lonely: Stack) -> None:
    """A worker killed in the middle of a request gives 503 with retry-after, never a bare error."""
    worker = lonely.pids()["payments-1"]
    killer = threading.Timer(0.7, os.kill, (worker, signal.SIGKILL))
    killer.start()
    reply = post(lonely)
    killer.join()
    assert_try_again(reply, 503, "DEPENDENCY_UNAVAILABLE")
    assert reply.headers["retry-after"] == "1"
    lonely.restarted("payments-1", worker)


def test_a_worker_that_hangs_is_answered_for(lonely: Stack) -> None:
    """A worker that does not answer gives 503 or 504 within 6 s by both protocols; health tells."""
    worker = lonely.pids()["payments-1"]
    os.kill(worker, signal.SIGSTOP)
    try:
        reply = post(lonely)
        with grpc.insecure_channel(lonely.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
            rpc.PaymentServiceStub(channel).ListPayments(pb.ListPaymentsRequest(), timeout=10.0)
        health, ready, live = (
            urllib3.request("GET", lonely.url + path, timeout=5.0, retries=False)
            for path in ("/health", "/health/ready", "/health/live")
        )
    finally:
        os.kill(worker, signal.SIGCONT)
    if reply.status == 504:
        assert_try_again(reply, 504, "DEADLINE_EXCEEDED")
    else:
        assert_try_again(reply, 503, "DEPENDENCY_UNAVAILABLE")
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    told = {"status": "NOT_SERVING", "dependencies": {"payments": "DOWN"}}
    assert (health.status, health.json()) == (503, told)
    assert (ready.status, ready.json()) == (503, {"status": "NOT_SERVING"})
    assert (live.status, live.json()) == (200, {"status": "ALIVE"})


def test_payments_go_on_without_webhooks(lonely: Stack) -> None:
    """While the events service is away its paths give 503, and /health and payments do not care."""
    headers = {"authorization": f"Bearer {lonely.api_key}"}
    events = lonely.pids()["events"]
    os.kill(events, signal.SIGSTOP)
    try:
        hooks, payments, health = (
            urllib3.request("GET", lonely.url + path, headers=headers, timeout=10.0, retries=False)
            for path in ("/webhook-endpoints", "/payments", "/health")
        )
    finally:
        os.kill(events, signal.SIGCONT)
    assert hooks.status in {503, 504}
    assert_try_again(hooks, hooks.status, hooks.json()["details"][0]["reason"])
    assert (payments.status, health.status) == (200, 200)
