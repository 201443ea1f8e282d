"""Rules: what a merchant of the sandbox has the bank do instead of what the card's number says.

Frozen values and pure functions. Chance comes from a hash of the rule's id and the operation's
reference, so that whoever asks again gets the same.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum, unique
from typing import NamedTuple

from services.acquirer.cards import Decline, Verb

EPOCH = datetime.fromtimestamp(0, UTC)


@unique
class Effect(StrEnum):
    """What a rule does to a request. The names are kept in the database: add, never rename."""

    APPROVE = "APPROVE"
    DECLINE = "DECLINE"
    LOSE_REQUEST = "LOSE_REQUEST"
    LOSE_REPLY = "LOSE_REPLY"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule. What is None, or empty, is for any; amounts are minor units, both ends included.

    `times` is for how many operations it is; `hits`, for how many it was used.
    `active_until` is exclusive; both ends are the merchant's time.
    """

    id: str
    verb: Verb | None = None
    minor_units_min: int | None = None
    minor_units_max: int | None = None
    currency: str | None = None
    brand: str | None = None
    last4: str | None = None
    reference_prefix: str | None = None
    effect: Effect
    decline_code: Decline | None = None
    delay_ms: int = 0
    jitter_ms: int = 0
    times: int | None = None
    percent: int | None = None
    active_from: datetime | None = None
    active_until: datetime | None = None
    hits: int = 0
    created_at: datetime = EPOCH

    @property
    def is_spent(self) -> bool:
        """Whether it was used as often as it may be."""
        return self.times is not None and self.hits >= self.times


class Circumstances(NamedTuple):
    """Whose request it is, and what rules look at.

    `time` is the merchant's, in microseconds since 1970. `references` are its own, of the payment
    and of the operation. `merchant_id` is empty if nobody said it.
    """

    merchant_id: str = ""
    time: int = 0
    currency: str = ""
    brand: str = ""
    last4: str = ""
    references: tuple[str, ...] = ()


NOBODY = Circumstances()


class Request(NamedTuple):
    """An operation as rules see it.

    `minor_units` is what it takes, gives back, or, of a void, drops.
    """

    verb: Verb
    reference: str
    minor_units: int
    told: Circumstances


def matching(rules: Iterable[Rule], request: Request) -> Sequence[Rule]:
    """Return the rules that are for a request, in their order.

    One that is spent is none of them, but for one that makes the bank unavailable: operations that
    it was used for meet it again.
    """
    return [
        rule
        for rule in rules
        if _is_for(rule, request)
        and (rule.effect is Effect.UNAVAILABLE or not rule.is_spent)
        and is_active(rule, request.told.time)
        and _has_chance(rule, request.reference)
    ]


def is_active(rule: Rule, microseconds: int) -> bool:
    """Tell whether a rule is in force at the merchant's time, in microseconds since 1970."""
    time = EPOCH + timedelta(microseconds=microseconds)
    return (rule.active_from is None or rule.active_from <= time) and (
        rule.active_until is None or time < rule.active_until
    )


def delay_seconds(rule: Rule, reference: str) -> float:
    """Return how much later the reply to an operation comes."""
    jitter = rule.jitter_ms * _hundredths(rule.id, reference, "jitter") / 10_000
    return (rule.delay_ms + jitter) / 1_000


def _is_for(rule: Rule, request: Request) -> bool:
    """Compare one by one, without a set or a generator: an operation may meet a hundred rules."""
    told = request.told
    return (
        (rule.verb is None or rule.verb is request.verb)
        and (rule.reference_prefix is None or _begins(told.references, rule.reference_prefix))
        and (rule.currency is None or rule.currency == told.currency)
        and (rule.brand is None or rule.brand == told.brand)
        and (rule.last4 is None or rule.last4 == told.last4)
        and (rule.minor_units_min is None or rule.minor_units_min <= request.minor_units)
        and (rule.minor_units_max is None or request.minor_units <= rule.minor_units_max)
    )


def _begins(references: Sequence[str], prefix: str) -> bool:
    for one in references:  # noqa: SIM110  # `any` would make a generator
        if one.startswith(prefix):
            return True
    return False


def _has_chance(rule: Rule, reference: str) -> bool:
    if rule.percent is None:
        return True
    return _hundredths(rule.id, reference, "percent") < rule.percent * 100


def _hundredths(rule_id: str, reference: str, purpose: str) -> int:
    """Return a number from 0 to 9,999 that is the same for the same rule and reference."""
    text = f"{purpose}\0{rule_id}\0{reference}".encode()
    return int.from_bytes(hashlib.blake2s(text, digest_size=8).digest()) % 10_000
