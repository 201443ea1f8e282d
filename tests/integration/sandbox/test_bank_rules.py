"""A bank that takes orders, on two workers: by the clock, killed, and emptied by a reset."""

import asyncio
from collections import Counter

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.sandbox.v1 import bank_pb2 as bank
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from tests.chaos.rig import CARD, gbp
from tests.integration.sandbox.box import WEEK, Sandbox

REACHED_SECONDS_MAX = 10.0
Kind, Verb = bank.BankRule.Effect, bank.BankRule


def rule_of(kind: bank.BankRule.Effect.Kind.ValueType) -> sandbox.CreateBankRuleRequest:
    """Return a rule for all captures."""
    code = pb.Decline.CODE_CAPTURE_REJECTED
    decline = code if kind == Kind.KIND_DECLINE else pb.Decline.CODE_UNSPECIFIED
    return sandbox.CreateBankRuleRequest(
        match=bank.BankRule.Match(verb=Verb.VERB_CAPTURE),
        effect=bank.BankRule.Effect(kind=kind, decline_code=decline),
    )


async def test_an_outage_ends_when_the_clock_is_turned(box: Sandbox) -> None:
    """Until then the capture is PENDING; then it is done, once, and the books agree."""
    payment_id = await box.rig.authorized()
    clock = await box.stub.GetClock(sandbox.GetClockRequest(), metadata=box.metadata)
    rule = rule_of(Kind.KIND_UNAVAILABLE)
    rule.active_until.CopyFrom(Timestamp(seconds=clock.now.seconds + 3600))
    await box.stub.CreateBankRule(rule, metadata=box.metadata)
    capture = service.CaptureRequest(authorization_id=payment_id, amount=gbp(400))
    assert (await box.rig.call(capture)).action.status == pb.Action.STATUS_PENDING
    look = sandbox.DrainRequest(timeout=Duration())
    assert (await box.stub.Drain(look, metadata=box.metadata)).pending_actions == 1
    await box.advance(WEEK / 7)
    drained = sandbox.DrainRequest(timeout=Duration(seconds=10))
    assert (await box.stub.Drain(drained, metadata=box.metadata)).pending_actions == 0
    assert (await box.payment(payment_id)).captured == gbp(400)
    await box.rig.assert_books_agree()


async def rules_when_reached(box: Sandbox) -> sandbox.ListBankRulesResponse:
    """List the rules once the worker has reached a bank that is back: it waits between tries."""
    async with asyncio.timeout(REACHED_SECONDS_MAX):
        while True:
            try:
                return await box.stub.ListBankRules(
                    sandbox.ListBankRulesRequest(), metadata=box.metadata
                )
            except aio.AioRpcError as problem:
                if problem.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
            await asyncio.sleep(0.1)


async def test_exactly_so_many_though_the_bank_is_killed(box: Sandbox) -> None:
    """Of 32 captures at once 12 are declined, and money is right when all are settled."""
    payments = [await box.rig.authorized() for _ in range(8)]
    rule = rule_of(Kind.KIND_DECLINE)
    rule.times = 12
    await box.stub.CreateBankRule(rule, metadata=box.metadata)

    async def capture(number: int) -> None:
        request = service.CaptureRequest(authorization_id=payments[number % 8], amount=gbp(100))
        await box.rig.call(request, worker=number % 2)

    calls = [asyncio.create_task(capture(number)) for number in range(32)]
    await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
    await box.rig.bank.kill()
    await box.rig.bank.start()
    await asyncio.gather(*calls)
    await box.rig.settled()
    found = [await box.payment(one) for one in payments]
    captures = [one for payment in found for one in payment.actions[1:]]
    told = Counter(pb.Action.Status.Name(one.status) for one in captures)
    assert told == {"STATUS_DECLINED": 12, "STATUS_SUCCEEDED": 20}
    assert sum(payment.captured.minor_units for payment in found) == 2000
    listed = await rules_when_reached(box)
    assert [(one.hits, one.times_left) for one in listed.rules] == [(12, 0)]
    await box.rig.assert_books_agree()


async def test_a_reset_that_is_repeated_removes_no_newer_rule(box: Sandbox) -> None:
    """Rules and what the bank saw are gone, once for each key."""
    metadata = (*box.metadata, ("idempotency-key", "reset-1"))
    await box.stub.CreateBankRule(rule_of(Kind.KIND_DECLINE), metadata=box.metadata)
    await box.rig.call(service.AuthorizeRequest(card_details=CARD, amount=gbp(5)))
    await box.stub.Reset(sandbox.ResetRequest(), metadata=metadata)
    listed = await box.stub.ListBankRules(sandbox.ListBankRulesRequest(), metadata=box.metadata)
    assert list(listed.rules) == []
    request = sandbox.ListBankRequestsRequest()
    assert not (await box.stub.ListBankRequests(request, metadata=box.metadata)).requests
    made = await box.stub.CreateBankRule(rule_of(Kind.KIND_DECLINE), metadata=box.metadata)
    await box.stub.Reset(sandbox.ResetRequest(), metadata=metadata)
    listed = await box.stub.ListBankRules(sandbox.ListBankRulesRequest(), metadata=box.metadata)
    assert list(listed.rules) == [made.rule]
