"""From the JSON of the simulated bank's rules and requests to values."""

from typing import Any

from paygate_client._decode import Json, duration, time
from paygate_client.bank_models import BankRequest, BankRule
from paygate_client.enums import BankEffect, BankResult, BankVerb, Brand, DeclineCode

_UNSPECIFIED = "_UNSPECIFIED"


def bank_rule(said: Json) -> BankRule:
    """Read a rule."""
    match, effect = said["match"], said["effect"]
    times = {
        name: time(said[name]) if said.get(name) else None
        for name in ("active_from", "active_until", "create_time")
    }
    return BankRule(
        **times,
        id=said["id"],
        effect=BankEffect(effect["kind"]),
        decline_code=_told(DeclineCode, effect["decline_code"]),
        delay=duration(effect["delay"]),
        jitter=duration(effect["jitter"]),
        verb=_told(BankVerb, match["verb"]),
        minor_units_min=int(match["minor_units_min"]) or None,
        minor_units_max=int(match["minor_units_max"]) or None,
        currency=match["currency"],
        brand=_told(Brand, match["brand"]),
        last4=match["last4"],
        reference_prefix=match["reference_prefix"],
        times=int(said["times"]) or None,
        percent=int(said["percent"]),
        hits=int(said["hits"]),
        times_left=int(said["times_left"]),
    )


def bank_request(said: Json) -> BankRequest:
    """Read what the bank was asked for."""
    return BankRequest(
        create_time=time(said["create_time"]),
        verb=BankVerb(said["verb"]),
        action_id=said["action_id"],
        reference=said["reference"],
        minor_units=int(said["minor_units"]),
        currency=said["currency"],
        result=BankResult(said["result"]),
        decline_code=_told(DeclineCode, said["decline_code"]),
        rule_id=said["rule_id"],
    )


def _told(enum: Any, name: str) -> Any:
    return None if name.endswith(_UNSPECIFIED) else enum(name)
