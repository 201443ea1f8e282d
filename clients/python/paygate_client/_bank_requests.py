"""Each call about the simulated bank's rules, built of its arguments."""

from collections.abc import Mapping
from datetime import timedelta

from paygate_client import _decode as read
from paygate_client import _decode_bank as read_bank
from paygate_client._call import Call, part
from paygate_client._requests import listing, posted, sent_time
from paygate_client.bank_models import BankRequest, BankRule
from paygate_client.models import Page


def create_rule(rule: BankRule) -> Call[BankRule]:
    """Have the bank do something else than the card's number says."""
    match = {
        "verb": rule.verb,
        "minor_units_min": rule.minor_units_min,
        "minor_units_max": rule.minor_units_max,
        "currency": rule.currency,
        "brand": rule.brand,
        "last4": rule.last4,
        "reference_prefix": rule.reference_prefix,
    }
    effect = {
        "kind": rule.effect,
        "decline_code": rule.decline_code,
        "delay": _seconds(rule.delay),
        "jitter": _seconds(rule.jitter),
    }
    body = {
        "match": _given(match),
        "effect": _given(effect),
        "times": rule.times,
        "percent": rule.percent,
        "active_from": sent_time(rule.active_from),
        "active_until": sent_time(rule.active_until),
    }
    found = read.under("rule", read_bank.bank_rule)
    given = {name: value for name, value in body.items() if value is not None}
    return posted("create bank rule", "/sandbox/bank-rules", given, found)


def list_rules() -> Call[tuple[BankRule, ...]]:
    """List the merchant's rules."""
    found = read.all_under("rules", read_bank.bank_rule)
    return Call(name="list bank rules", method="GET", path="/sandbox/bank-rules", read=found)


def delete_rule(rule_id: str) -> Call[None]:
    """Remove a rule."""
    return Call(
        name="delete bank rule",
        method="DELETE",
        path=f"/sandbox/bank-rules/{part(rule_id)}",
        read=read.nothing,
        gone_is_done=True,
    )


def list_requests(*, token: str) -> Call[Page[BankRequest]]:
    """One page of what the bank was asked for."""
    found = read.page("requests", read_bank.bank_request)
    return listing("list bank requests", "/sandbox/bank-requests", found, token=token, follow=False)


def _given(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value not in {None, ""}}


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.6f}s"
