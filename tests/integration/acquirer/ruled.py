"""A merchant of the sandbox with rules at the bank."""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from grpc import aio

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from tests.integration.acquirer.line import APPROVED, DECLINED, Line, authorize_request

Effect = pb.Rule
APPROVE, DECLINE = Effect.EFFECT_APPROVE, Effect.EFFECT_DECLINE
LOSE_REQUEST, LOSE_REPLY = Effect.EFFECT_LOSE_REQUEST, Effect.EFFECT_LOSE_REPLY
UNAVAILABLE = Effect.EFFECT_UNAVAILABLE
NOON = int(datetime(2026, 12, 1, 12, tzinfo=UTC).timestamp()) * 1_000_000
RULE_IDS = iter(range(1, 100_000))


@dataclass
class Ruled:
    """A merchant, and its line to the bank. Each verb tells what came of it as a word."""

    line: Line
    merchant_id: str = "mer_a"
    time: int = NOON

    async def rule(self, effect: pb.Rule.Effect.ValueType, *, key: str = "", **fields: Any) -> str:
        """Make a rule and return its id."""
        response = await self.created(effect, key=key, **fields)
        assert response.result == pb.CreateRuleResponse.RESULT_CREATED, response
        return response.rule.id

    async def created(
        self, effect: pb.Rule.Effect.ValueType, *, key: str = "", **fields: Any
    ) -> pb.CreateRuleResponse:
        """Ask for a rule."""
        if effect == DECLINE:
            fields.setdefault("decline_code", "LOST_CARD")
        rule = pb.Rule(id=f"rule_{next(RULE_IDS)}", effect=effect, **fields)
        request = pb.CreateRuleRequest(merchant_id=self.merchant_id, rule=rule, key=key)
        return await self.line.stub.CreateRule(request, wait_for_ready=True)

    async def delete(self, rule_id: str) -> bool:
        """Remove a rule."""
        request = pb.DeleteRuleRequest(merchant_id=self.merchant_id, id=rule_id)
        return (await self.line.stub.DeleteRule(request)).found

    async def hits(self) -> list[int]:
        """Return how often each rule was used."""
        request = pb.ListRulesRequest(merchant_id=self.merchant_id)
        return [rule.hits for rule in (await self.line.stub.ListRules(request)).rules]

    async def seen(self, size: int = 100) -> list[tuple[str, str]]:
        """Return what the bank was asked for and what came of it, the first first."""
        request = pb.ListSeenRequest(merchant_id=self.merchant_id, size=size)
        found = (await self.line.stub.ListSeen(request)).seen
        return [(seen.verb, seen.result) for seen in reversed(found)]

    async def authorize(self, reference: str = "auth", **fields: str | int) -> str:
        """Authorize £10."""
        request = authorize_request(reference=reference, **fields)
        request.circumstances.CopyFrom(self.told("order-1"))
        return await word(self.line.stub.Authorize(request, wait_for_ready=True))

    async def operate(self, verb: str, reference: str = "", own_reference: str = "") -> str:
        """Capture or refund £4 of `auth`, or void it."""
        told, reference = self.told(own_reference), reference or verb
        names: Any = {"reference": reference, "authorization_reference": "auth"}
        match verb:
            case "capture":
                capture = pb.CaptureRequest(**names, minor_units=400, circumstances=told)
                return await word(self.line.stub.Capture(capture))
            case "refund":
                refund = pb.RefundRequest(**names, minor_units=400, circumstances=told)
                return await word(self.line.stub.Refund(refund))
            case _:
                return await word(self.line.stub.Void(pb.VoidRequest(**names, circumstances=told)))

    async def inquire(self, reference: str = "auth") -> str:
        """Inquire."""
        request = pb.InquireRequest(reference=reference, circumstances=self.told(""))
        return await word(self.line.stub.Inquire(request))

    async def authorize_all(self, references: Iterable[str]) -> list[str]:
        """Authorize at once."""
        return await asyncio.gather(*(self.authorize(reference) for reference in references))

    def told(self, own_reference: str) -> pb.Circumstances:
        """Return what rules look at."""
        return pb.Circumstances(
            merchant_id=self.merchant_id,
            time=self.time,
            currency="GBP",
            brand="VISA",
            last4="4242",
            payment_reference="order-1",
            own_reference=own_reference,
        )


async def word(call: object) -> str:
    """Return what came of a call: APPROVED, a reason to decline, or the name of an error."""
    try:
        outcome = (await call).outcome  # type: ignore[misc]
    except aio.AioRpcError as problem:
        return problem.code().name
    if outcome.status == DECLINED:
        return str(outcome.decline_code)
    name: str = pb.Outcome.Status.Name(outcome.status)
    assert outcome.status != APPROVED or re.fullmatch("[0-9A-F]{8}", outcome.approval_code)
    return name.removeprefix("STATUS_")
