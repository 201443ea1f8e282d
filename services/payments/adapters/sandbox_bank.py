"""The simulated bank's own calls: its cards, a merchant's rules, and what it saw."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import grpc
from google.protobuf.message import Message
from grpc import aio

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from paygate.acquirer.v1.acquirer_service_pb2_grpc import AcquirerServiceStub
from pkg.errors import DependencyUnavailableError, IdempotencyKeyReusedError
from services.payments.bank_rules import BankRequest, BankRule, RuleEffect, RuleVerb
from services.payments.domain.errors import BankRuleLimitError

if TYPE_CHECKING:  # the stubs alone have it
    from paygate.acquirer.v1.acquirer_service_pb2_grpc import AcquirerServiceAsyncStub

_EPOCH = datetime.fromtimestamp(0, UTC)
_MICROSECOND, _MILLISECOND = timedelta(microseconds=1), timedelta(milliseconds=1)
_NOT_THERE = grpc.StatusCode.UNIMPLEMENTED
_EFFECT = "EFFECT_"
_Result = pb.CreateRuleResponse

Response = TypeVar("Response")


class GrpcSandboxBank:
    """A bank that is simulated; see `bank_rules.SandboxBank`."""

    def __init__(self, channel: Callable[[], aio.Channel], *, timeout_seconds: float) -> None:
        """Take what returns a connection to it, or raises DependencyUnavailableError."""
        self._channel = channel
        self._timeout_seconds = timeout_seconds

    async def cards(self) -> list[tuple[str, str]]:
        """Return the numbers of its test cards and what happens with them."""
        response = await self._asked(self._bank.ListTestCards, pb.ListTestCardsRequest())
        return [(card.pan, card.description) for card in response.cards]

    async def create_rule(
        self, merchant_id: str, rule: BankRule, key: str | None
    ) -> tuple[BankRule, bool]:
        """Make a rule; return it, and whether a request with the same key has made it before."""
        request = pb.CreateRuleRequest(
            merchant_id=merchant_id, rule=_encoded(rule), key=_key("create", key)
        )
        response = await self._asked(self._bank.CreateRule, request)
        if response.result == _Result.RESULT_FULL:
            raise BankRuleLimitError
        if response.result == _Result.RESULT_KEY_REUSED:
            raise IdempotencyKeyReusedError
        return _decoded(response.rule), response.result == _Result.RESULT_REPLAYED

    async def rules(self, merchant_id: str) -> Sequence[BankRule]:
        """Return a merchant's rules in the order in which they were made."""
        request = pb.ListRulesRequest(merchant_id=merchant_id)
        response = await self._asked(self._bank.ListRules, request)
        return [_decoded(rule) for rule in response.rules]

    async def delete_rule(self, merchant_id: str, rule_id: str) -> bool:
        """Remove a rule; return whether there was one."""
        request = pb.DeleteRuleRequest(merchant_id=merchant_id, id=rule_id)
        return (await self._asked(self._bank.DeleteRule, request)).found

    async def requests(
        self, merchant_id: str, *, before: int | None, limit: int
    ) -> Sequence[BankRequest]:
        """Return what the bank was asked for before a number, the newest first."""
        request = pb.ListSeenRequest(merchant_id=merchant_id, before=before or 0, size=limit)
        response = await self._asked(self._bank.ListSeen, request)
        return [
            BankRequest(
                seen.number,
                _time(seen.number),
                seen.verb,
                seen.reference,
                seen.own_reference,
                seen.minor_units,
                seen.currency,
                seen.result,
                seen.decline_code,
                seen.rule_id,
            )
            for seen in response.seen
        ]

    async def erase(self, references: Sequence[str]) -> None:
        """Remove operations from the bank's book."""
        await self._asked(self._bank.Erase, pb.EraseRequest(references=references))

    async def forget(self, merchant_id: str, key: str | None) -> None:
        """Remove a merchant's rules and requests, once for each key."""
        request = pb.ForgetRequest(merchant_id=merchant_id, key=_key("forget", key))
        try:
            await self._asked(self._bank.Forget, request)
        except DependencyUnavailableError as error:
            problem = error.__cause__
            # A bank that is older has no rules, and nothing to forget.
            if not (isinstance(problem, aio.AioRpcError) and problem.code() is _NOT_THERE):
                raise

    @property
    def _bank(self) -> "AcquirerServiceAsyncStub":
        stub: AcquirerServiceAsyncStub = AcquirerServiceStub(self._channel())
        return stub

    async def _asked(self, call: Callable[..., Awaitable[Response]], request: Message) -> Response:
        try:
            return await call(request, timeout=self._timeout_seconds)
        except grpc.RpcError as problem:
            raise DependencyUnavailableError from problem


def _key(purpose: str, key: str | None) -> str:
    return f"{purpose} {key}" if key else ""


def _encoded(rule: BankRule) -> pb.Rule:
    return pb.Rule(
        id=rule.id,
        verb=rule.verb or "",
        minor_units_min=rule.minor_units_min,
        minor_units_max=rule.minor_units_max,
        currency=rule.currency,
        brand=rule.brand,
        last4=rule.last4,
        reference_prefix=rule.reference_prefix,
        effect=pb.Rule.Effect.Value(_EFFECT + rule.effect),
        decline_code=rule.decline_code,
        delay_ms=rule.delay // _MILLISECOND,
        jitter_ms=rule.jitter // _MILLISECOND,
        times=rule.times,
        percent=rule.percent % 100,  # 0 is all
        active_from=_microseconds(rule.active_from),
        active_until=_microseconds(rule.active_until),
    )


def _decoded(rule: pb.Rule) -> BankRule:
    return BankRule(
        id=rule.id,
        verb=RuleVerb(rule.verb) if rule.verb else None,
        minor_units_min=rule.minor_units_min,
        minor_units_max=rule.minor_units_max,
        currency=rule.currency,
        brand=rule.brand,
        last4=rule.last4,
        reference_prefix=rule.reference_prefix,
        effect=RuleEffect(pb.Rule.Effect.Name(rule.effect).removeprefix(_EFFECT)),
        decline_code=rule.decline_code,
        delay=rule.delay_ms * _MILLISECOND,
        jitter=rule.jitter_ms * _MILLISECOND,
        times=rule.times,
        percent=rule.percent or 100,
        active_from=_time(rule.active_from) if rule.active_from else None,
        active_until=_time(rule.active_until) if rule.active_until else None,
        hits=rule.hits,
        create_time=_time(rule.created),
    )


def _time(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _microseconds(time: datetime | None) -> int:
    return (time - _EPOCH) // _MICROSECOND if time else 0
