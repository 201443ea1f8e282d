"""Rules of the simulated bank, and what it saw: messages to checked values, and back."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message

from paygate.payments.v1 import payment_pb2 as payments
from paygate.sandbox.v1 import bank_pb2 as bank
from paygate.sandbox.v1 import sandbox_service_pb2 as pb
from pkg.grpc.messages import Fields, duration_fields, time_fields
from pkg.grpc.validation import Checks, one_of
from pkg.ids import new_id
from services.payments.api.requests import AMOUNT_MAX_MINOR_UNITS
from services.payments.bank_rules import (
    DELAY_MAX,
    TIMES_MAX,
    BankRequest,
    BankRule,
    RuleEffect,
    RuleVerb,
)
from services.payments.domain.money import EXPONENTS

RULE = "rule"  # what the ids begin with

_LAST4 = re.compile(r"[0-9]{4}\Z")
# What only one of the verbs can be declined for.
_ONLY_OF = {
    payments.Decline.CODE_CAPTURE_REJECTED: RuleVerb.CAPTURE,
    payments.Decline.CODE_REFUND_REJECTED: RuleVerb.REFUND,
    payments.Decline.CODE_VOID_REJECTED: RuleVerb.VOID,
}


def rule_of(request: pb.CreateBankRuleRequest, checks: Checks) -> BankRule:
    """Return the rule that is asked for, with a new id; all that is wrong is in `checks`.

    Raises:
        ValidationFailedError: Something is.
    """
    match, effect = request.match, request.effect
    verb = _name(checks, "match.verb", bank.BankRule.Verb, match.verb, "VERB_")
    brand = _name(checks, "match.brand", payments.Card.Brand, match.brand, "BRAND_")
    kind = _name(checks, "effect.kind", bank.BankRule.Effect.Kind, effect.kind, "KIND_")
    if not effect.kind:
        checks.add("effect.kind", one_of(bank.BankRule.Effect.Kind.keys()))
    _check_amounts(checks, match)
    _check_texts(checks, match)
    code = _decline_code(checks, effect, verb)
    delay = _delay(checks, "effect.delay", effect.delay)
    jitter = _delay(checks, "effect.jitter", effect.jitter)
    _check_counts(checks, request)
    active_from, active_until = _times(checks, request)
    checks.end()
    return BankRule(
        id=new_id(RULE, datetime.now(UTC)),
        verb=RuleVerb(verb) if verb else None,
        minor_units_min=match.minor_units_min,
        minor_units_max=match.minor_units_max,
        currency=match.currency,
        brand=brand,
        last4=match.last4,
        reference_prefix=match.reference_prefix,
        effect=RuleEffect(kind),
        decline_code=code,
        delay=delay,
        jitter=jitter,
        times=request.times,
        percent=request.percent or 100,
        active_from=active_from,
        active_until=active_until,
    )


def rule_fields(rule: BankRule) -> Fields:
    """Return a rule as clients see it."""
    code = f"CODE_{rule.decline_code}" if rule.decline_code else "CODE_UNSPECIFIED"
    fields: Fields = {
        "id": rule.id,
        "match": {
            "verb": f"VERB_{rule.verb or 'UNSPECIFIED'}",
            "minor_units_min": rule.minor_units_min,
            "minor_units_max": rule.minor_units_max,
            "currency": rule.currency,
            "brand": f"BRAND_{rule.brand or 'UNSPECIFIED'}",
            "last4": rule.last4,
            "reference_prefix": rule.reference_prefix,
        },
        "effect": {
            "kind": f"KIND_{rule.effect}",
            "decline_code": code,
            "delay": duration_fields(rule.delay),
            "jitter": duration_fields(rule.jitter),
        },
        "times": rule.times,
        "percent": rule.percent,
        "hits": rule.hits,
        "times_left": max(rule.times - rule.hits, 0),
    }
    for name in ("active_from", "active_until", "create_time"):
        if (time := getattr(rule, name)) is not None:
            fields[name] = time_fields(time)
    return fields


def request_fields(request: BankRequest) -> Fields:
    """Return what the bank was asked for as clients see it."""
    return {
        "create_time": time_fields(request.create_time),
        "verb": f"VERB_{request.verb}",
        "action_id": request.action_id,
        "reference": request.reference,
        "minor_units": request.minor_units,
        "currency": request.currency,
        "result": f"RESULT_{request.result}",
        "decline_code": f"CODE_{request.decline_code or 'UNSPECIFIED'}",
        "rule_id": request.rule_id,
    }


def _name(checks: Checks, field: str, enum: Any, value: int, prefix: str) -> str:
    """Return the name of an enum's value without its prefix; empty for none."""
    if value not in enum.values():
        checks.add(field, one_of(enum.keys()))
        return ""
    return enum.Name(value).removeprefix(prefix) if value else ""


def _check_amounts(checks: Checks, match: bank.BankRule.Match) -> None:
    low, high = match.minor_units_min, match.minor_units_max
    for field, amount in (("minor_units_min", low), ("minor_units_max", high)):
        if not 0 <= amount <= AMOUNT_MAX_MINOR_UNITS:
            checks.add(f"match.{field}", f"must be from 1 to {AMOUNT_MAX_MINOR_UNITS}")
    if 0 < high < low:
        checks.add("match.minor_units_max", "must not be less than match.minor_units_min")


def _check_texts(checks: Checks, match: bank.BankRule.Match) -> None:
    if match.currency and match.currency not in EXPONENTS:
        checks.add("match.currency", "must be an ISO 4217 code in upper case, such as GBP")
    if match.last4 and not _LAST4.match(match.last4):
        checks.add("match.last4", "must be four digits")
    checks.text("match.reference_prefix", match.reference_prefix)


def _decline_code(checks: Checks, effect: bank.BankRule.Effect, verb: str) -> str:
    """Check why it declines: only if it does, and only what the operation can be declined for."""
    field, code = "effect.decline_code", effect.decline_code
    name = _name(checks, field, payments.Decline.Code, code, "CODE_")
    if effect.kind == bank.BankRule.Effect.KIND_DECLINE:
        if not code:
            checks.add(field, one_of(payments.Decline.Code.keys()))
        only = _ONLY_OF.get(code)
        if only and verb != only:
            checks.add(field, f"is possible only with match.verb VERB_{only}")
    elif code:
        checks.add(field, "is possible only with effect.kind KIND_DECLINE")
    return name


def _delay(checks: Checks, field: str, duration: Duration) -> timedelta:
    # Beyond this, seconds do not fit into a timedelta.
    is_sane = abs(duration.seconds) <= 10**6 and abs(duration.nanos) < 10**9
    delay = duration.ToTimedelta() if is_sane else -DELAY_MAX
    if not timedelta(0) <= delay <= DELAY_MAX:
        checks.add(field, "must be from 0 to 10 seconds")
    return delay


def _check_counts(checks: Checks, request: pb.CreateBankRuleRequest) -> None:
    if request.HasField("times") and not 1 <= request.times <= TIMES_MAX:
        checks.add("times", f"must be from 1 to {TIMES_MAX}")
    if request.HasField("percent") and not 1 <= request.percent <= 100:
        checks.add("percent", "must be from 1 to 100")


def _times(checks: Checks, request: Message) -> tuple[datetime | None, datetime | None]:
    start, end = (
        checks.time(field, getattr(request, field)) if request.HasField(field) else None
        for field in ("active_from", "active_until")
    )
    if start and end and end <= start:
        checks.add("active_until", "must be after active_from")
    return start, end
