"""What a merchant's rules are made, listed and removed with, and how it sees what the bank saw."""

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from services.acquirer import rule_messages
from services.acquirer.bank import Bank
from services.acquirer.errors import InvalidRequestError
from services.acquirer.seen import Seen

_SEEN_MAX = 101  # in a page: one more than is shown


class RuleCalls:
    """The calls about rules, as messages."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    async def create(self, request: pb.CreateRuleRequest) -> pb.CreateRuleResponse:
        """Make a rule, or return the one that a request with the same key has made."""
        rule = rule_messages.decoded(request.rule)
        if not rule.id:
            raise InvalidRequestError("rule.id")
        merchant_id = _merchant_id(request.merchant_id)
        created = await self._bank.rules.create(merchant_id, rule, request.key)
        response = pb.CreateRuleResponse(
            result=pb.CreateRuleResponse.Result.Value(f"RESULT_{created.result}")
        )
        if created.rule:
            response.rule.CopyFrom(rule_messages.encoded(created.rule))
        return response

    async def list(self, request: pb.ListRulesRequest) -> pb.ListRulesResponse:
        """List a merchant's rules in the order in which they were made."""
        rules = await self._bank.rules.list(_merchant_id(request.merchant_id))
        return pb.ListRulesResponse(rules=map(rule_messages.encoded, rules))

    async def delete(self, request: pb.DeleteRuleRequest) -> pb.DeleteRuleResponse:
        """Remove a rule."""
        merchant_id = _merchant_id(request.merchant_id)
        return pb.DeleteRuleResponse(found=await self._bank.rules.delete(merchant_id, request.id))

    async def seen(self, request: pb.ListSeenRequest) -> pb.ListSeenResponse:
        """List what was asked for by a merchant, the newest first."""
        size = min(max(request.size, 1), _SEEN_MAX)
        found = self._bank.seen.list(
            _merchant_id(request.merchant_id), before=request.before, size=size
        )
        return pb.ListSeenResponse(seen=map(_seen, found))

    async def forget(self, request: pb.ForgetRequest) -> pb.ForgetResponse:
        """Remove a merchant's rules and what was seen of it, once for each key."""
        merchant_id = _merchant_id(request.merchant_id)
        if await self._bank.rules.forget(merchant_id, request.key):
            self._bank.seen.forget(merchant_id)
        return pb.ForgetResponse()


def _merchant_id(text: str) -> str:
    if not text:
        raise InvalidRequestError("merchant_id")
    return text


def _seen(seen: Seen) -> pb.Seen:
    return pb.Seen(
        number=seen.number,
        verb=seen.verb,
        reference=seen.reference,
        own_reference=seen.told.references[-1],
        minor_units=seen.minor_units,
        currency=seen.told.currency,
        result=seen.result,
        decline_code=seen.decline_code,
        rule_id=seen.rule_id,
    )
