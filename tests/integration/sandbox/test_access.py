"""The sandbox's cards, who may call it, and where it is left out."""

from typing import Any

import asyncpg
import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from grpc import aio

from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from services.acquirer.cards import APPROVED_CARDS, CARDS
from tests.chaos.rig import Rig, reason_of
from tests.integration.sandbox.box import Sandbox


async def test_the_cards_are_the_banks(box: Sandbox) -> None:
    """Every card of the simulated bank is listed once, with what happens."""
    request = sandbox.ListTestCardsRequest()
    response = await box.stub.ListTestCards(request, metadata=box.metadata)
    assert [card.pan for card in response.cards] == [*APPROVED_CARDS, *CARDS]
    assert all(card.description.endswith(".") for card in response.cards)


async def test_every_call_needs_a_key(box: Sandbox) -> None:
    """The sandbox is a merchant's, and asks for the key like any other service."""
    calls: list[tuple[Any, object]] = [
        (box.stub.GetClock, sandbox.GetClockRequest()),
        (box.stub.AdvanceClock, sandbox.AdvanceClockRequest(by=Duration(seconds=60))),
        (box.stub.Drain, sandbox.DrainRequest()),
        (box.stub.Reset, sandbox.ResetRequest()),
        (box.stub.ListInbox, sandbox.ListInboxRequest()),
        (box.stub.ListDue, sandbox.ListDueRequest()),
        (box.stub.ListTestCards, sandbox.ListTestCardsRequest()),
        (box.stub.CreateBankRule, sandbox.CreateBankRuleRequest()),
        (box.stub.ListBankRules, sandbox.ListBankRulesRequest()),
        (box.stub.DeleteBankRule, sandbox.DeleteBankRuleRequest(id="x")),
        (box.stub.ListBankRequests, sandbox.ListBankRequestsRequest()),
        (box.stub.CreateSandbox, sandbox.CreateSandboxRequest()),
        (box.stub.ListSandboxes, sandbox.ListSandboxesRequest()),
        (box.stub.DeleteSandbox, sandbox.DeleteSandboxRequest(id="x")),
        (box.stub.ListRequests, sandbox.ListRequestsRequest()),
        (box.stub.GetRequest, sandbox.GetRequestRequest(id="x")),
    ]
    for method, request in calls:
        with pytest.raises(aio.AioRpcError) as refused:
            await method(request)
        assert reason_of(refused.value) == "INVALID_API_KEY"


async def test_the_sandbox_can_be_left_out(
    payments_database_url: str, acquirer_database_url: str
) -> None:
    """Then the service is absent, not just forbidden, and no call is logged, as in production."""
    rig = Rig(payments_database_url, acquirer_database_url, workers_count=2, with_sweep=False)
    rig.environment["PAYGATE_SANDBOX_API"] = "false"
    async with rig:
        box = Sandbox(rig, "mer_chaos")
        with pytest.raises(aio.AioRpcError) as refused:
            await box.stub.GetClock(sandbox.GetClockRequest(), metadata=box.metadata)
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED
        stub = PaymentServiceStub(rig.channels[0])
        await stub.ListPayments(service.ListPaymentsRequest(), metadata=box.metadata)
    connection = await asyncpg.connect(payments_database_url)
    # The workers have ended, and would have written what they had.
    assert not await connection.fetchval("SELECT count(*) FROM logged_requests")
    await connection.close()
