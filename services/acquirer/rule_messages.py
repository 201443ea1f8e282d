"""Rules and circumstances as messages. What is wrong with a rule, the gateway tells its client."""

from datetime import datetime, timedelta

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from services.acquirer.cards import Decline, Verb
from services.acquirer.errors import InvalidRequestError
from services.acquirer.rules import EPOCH, NOBODY, Circumstances, Effect, Rule

_PREFIX = "EFFECT_"
_MICROSECOND = timedelta(microseconds=1)


def circumstances(told: pb.Circumstances) -> Circumstances:
    """Return whose request it is, and what rules look at."""
    if not told.merchant_id:
        return NOBODY
    return Circumstances(
        merchant_id=told.merchant_id,
        time=told.time,
        currency=told.currency,
        brand=told.brand,
        last4=told.last4,
        references=(told.payment_reference, told.own_reference),
    )


def encoded(rule: Rule) -> pb.Rule:
    """Return a rule as a message."""
    return pb.Rule(
        id=rule.id,
        verb=rule.verb or "",
        minor_units_min=rule.minor_units_min or 0,
        minor_units_max=rule.minor_units_max or 0,
        currency=rule.currency or "",
        brand=rule.brand or "",
        last4=rule.last4 or "",
        reference_prefix=rule.reference_prefix or "",
        effect=pb.Rule.Effect.Value(_PREFIX + rule.effect),
        decline_code=rule.decline_code or "",
        delay_ms=rule.delay_ms,
        jitter_ms=rule.jitter_ms,
        times=rule.times or 0,
        percent=rule.percent or 0,
        active_from=_microseconds(rule.active_from),
        active_until=_microseconds(rule.active_until),
        hits=rule.hits,
        created=_microseconds(rule.created_at),
    )


def decoded(rule: pb.Rule) -> Rule:
    """Return the rule in a message.

    Raises:
        InvalidRequestError: It is none.
    """
    try:
        return Rule(
            id=rule.id,
            verb=Verb(rule.verb) if rule.verb else None,
            minor_units_min=rule.minor_units_min or None,
            minor_units_max=rule.minor_units_max or None,
            currency=rule.currency or None,
            brand=rule.brand or None,
            last4=rule.last4 or None,
            reference_prefix=rule.reference_prefix or None,
            effect=Effect(pb.Rule.Effect.Name(rule.effect).removeprefix(_PREFIX)),
            decline_code=Decline(rule.decline_code) if rule.decline_code else None,
            delay_ms=rule.delay_ms,
            jitter_ms=rule.jitter_ms,
            times=rule.times or None,
            percent=rule.percent or None,
            active_from=_time(rule.active_from) if rule.active_from else None,
            active_until=_time(rule.active_until) if rule.active_until else None,
            hits=rule.hits,
            created_at=_time(rule.created),
        )
    except (ValueError, OverflowError):
        raise InvalidRequestError("rule") from None


def _time(microseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=microseconds)


def _microseconds(time: datetime | None) -> int:
    return (time - EPOCH) // _MICROSECOND if time else 0
