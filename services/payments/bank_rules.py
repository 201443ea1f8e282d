"""What the simulated bank does for a merchant, and what it saw: see `api/bank.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

RULES_MAX = 100
TIMES_MAX = 1_000_000
DELAY_MAX = timedelta(seconds=10)


class RuleVerb(StrEnum):
    """What a rule can be for."""

    AUTHORIZE = "AUTHORIZE"
    CAPTURE = "CAPTURE"
    VOID = "VOID"
    REFUND = "REFUND"


class RuleEffect(StrEnum):
    """What a rule can do."""

    APPROVE = "APPROVE"
    DECLINE = "DECLINE"
    LOSE_REQUEST = "LOSE_REQUEST"
    LOSE_REPLY = "LOSE_REPLY"
    UNAVAILABLE = "UNAVAILABLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class BankRule:
    """A rule. Empty texts, 0 and None are for any; `active_until` is exclusive.

    `percent` is 100 for all. `create_time` is when the bank has made it.
    """

    id: str
    verb: RuleVerb | None = None
    minor_units_min: int = 0
    minor_units_max: int = 0
    currency: str = ""
    brand: str = ""
    last4: str = ""
    reference_prefix: str = ""
    effect: RuleEffect
    decline_code: str = ""
    delay: timedelta = timedelta(0)
    jitter: timedelta = timedelta(0)
    times: int = 0
    percent: int = 100
    active_from: datetime | None = None
    active_until: datetime | None = None
    hits: int = 0
    create_time: datetime | None = None


class BankRequest(NamedTuple):
    """What the bank was asked for; its number rises with each."""

    number: int
    create_time: datetime
    verb: str
    action_id: str
    reference: str
    minor_units: int
    currency: str
    result: str
    decline_code: str
    rule_id: str


class SandboxBank(Protocol):
    """The simulated bank. Every method raises DependencyUnavailableError if it does not answer."""

    async def cards(self) -> list[tuple[str, str]]:
        """Return the numbers of its test cards and what happens with them."""

    async def create_rule(
        self, merchant_id: str, rule: BankRule, key: str | None
    ) -> tuple[BankRule, bool]:
        """Make a rule; return it, and whether a request with the same key has made it before.

        Raises:
            BankRuleLimitError: The merchant has `RULES_MAX` already.
            IdempotencyKeyReusedError: The key is of a request for another rule.
        """

    async def rules(self, merchant_id: str) -> Sequence[BankRule]:
        """Return a merchant's rules in the order in which they were made."""

    async def delete_rule(self, merchant_id: str, rule_id: str) -> bool:
        """Remove a rule; return whether there was one."""

    async def requests(
        self, merchant_id: str, *, before: int | None, limit: int
    ) -> Sequence[BankRequest]:
        """Return what the bank was asked for before a number, the newest first."""

    async def forget(self, merchant_id: str, key: str | None) -> None:
        """Remove a merchant's rules and requests, once for each key."""
