"""Turning the clock of the sandbox, and waiting for what that brings."""

import json
import time
from typing import Any

import grpc
from google.protobuf.duration_pb2 import Duration
from pytest_bdd import parsers, then, when

from paygate.sandbox.v1 import sandbox_service_pb2 as pb
from paygate.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceStub
from tests.e2e.clients import RestClient
from tests.e2e.stack import Stack
from tests.e2e.steps.story import POLL_SECONDS, SETTLES_SECONDS_MAX, Story

DAY_SECONDS = 24 * 3600


@when(parsers.parse("{days:d} days pass"))
def days_pass(story: Story, stack: Stack, days: int) -> None:
    """Turn the clock forward, over the scenario's protocol."""
    seconds = days * DAY_SECONDS
    if isinstance(story.client, RestClient):
        body = json.dumps({"by": f"{seconds}s"}).encode()
        answer = story.client.send("POST", "/sandbox/clock/advance", body, story.credentials)
        assert answer.http_status == 200, answer
        return
    with grpc.insecure_channel(stack.grpc) as channel:
        request = pb.AdvanceClockRequest(by=Duration(seconds=seconds))
        SandboxServiceStub(channel).AdvanceClock(request, metadata=tuple(story.credentials))


@when("everything due is done")
def drained(story: Story, stack: Stack) -> None:
    """Wait until the sandbox says so, over the scenario's protocol."""
    if isinstance(story.client, RestClient):
        body = b'{"timeout": "20s"}'
        answer = story.client.send("POST", "/sandbox/drain", body, story.credentials)
        assert json.loads(answer.body)["drained"], answer
        return
    with grpc.insecure_channel(stack.grpc) as channel:
        request = pb.DrainRequest(timeout=Duration(seconds=20))
        left = SandboxServiceStub(channel).Drain(request, metadata=tuple(story.credentials))
        assert left.drained, left


@then("its expiry is among what is due next")
def expiry_is_due(story: Story) -> None:
    """With the time that the payment says."""
    (found,) = _due_of_payment(story)
    assert found.kind == pb.Due.KIND_PAYMENT_EXPIRES
    assert found.due_time == story.payment.expire_time


@then("its expiry is no longer among what is due next")
def expiry_is_not_due(story: Story) -> None:
    """It has happened."""
    assert _due_of_payment(story) == []


def _due_of_payment(story: Story) -> list[pb.Due]:
    reply: Any = story.ask("ListDue", {}).message
    return [one for one in reply.due if one.payment_id == story.payment.id]


@then("within 5 s the same request is carried out anew")
def carried_out_anew(story: Story) -> None:
    """The sweep removes the key, and the request is no repetition any more."""
    deadline = time.monotonic() + SETTLES_SECONDS_MAX
    while (answer := story.call(story.sent[-1])).is_replayed:
        assert time.monotonic() < deadline, "the key is still held"
        time.sleep(POLL_SECONDS)
    assert answer.payment.id != story.payment.id
