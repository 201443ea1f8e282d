"""What the simulated bank does for a test, and what it saw. Times are aware, in UTC."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from paygate_client.enums import BankEffect, BankResult, BankVerb, Brand, DeclineCode


@dataclass(frozen=True, slots=True, kw_only=True)
class BankRule:
    """What the bank does instead of what the card's number says. What is left out is for any.

    Attributes:
        effect: What it does.
        decline_code: Why it declines; only with `BankEffect.DECLINE`.
        delay: How much later its reply comes, up to 10 s.
        jitter: Up to so much later still.
        verb: Only these operations.
        minor_units_min: Only of so many minor units or more.
        minor_units_max: Only of so many minor units or fewer.
        currency: Only in this currency.
        brand: Only with a card of this network.
        last4: Only with a card whose number ends so.
        reference_prefix: Only if the payment's reference, or the operation's own, begins so.
        times: For how many operations.
        percent: For how many of 100 operations.
        active_from: From when on, by the sandbox's clock.
        active_until: Until when, exclusive, by the sandbox's clock.
        id: `rule_…`; the gateway sets this and what follows.
        hits: For how many operations it was used.
        times_left: For how many more it will be used; 0 without `times`.
        create_time: When it was made, in real time.
    """

    effect: BankEffect
    decline_code: DeclineCode | None = None
    delay: timedelta = timedelta(0)
    jitter: timedelta = timedelta(0)
    verb: BankVerb | None = None
    minor_units_min: int | None = None
    minor_units_max: int | None = None
    currency: str = ""
    brand: Brand | None = None
    last4: str = ""
    reference_prefix: str = ""
    times: int | None = None
    percent: int | None = None
    active_from: datetime | None = None
    active_until: datetime | None = None
    id: str = ""
    hits: int = 0
    times_left: int = 0
    create_time: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BankRequest:
    """What the bank was asked for, and what it made of it.

    Attributes:
        create_time: When it came, in real time.
        verb: What was asked for.
        action_id: `act_…`: the reference that the bank knows the operation by.
        reference: The action's own.
        minor_units: Of `currency`; 0 where no amount is said.
        currency: The payment's.
        result: What became of it.
        decline_code: Why it was declined; None if it was not.
        rule_id: The rule that was used for it; empty if the card has decided.
    """

    create_time: datetime
    verb: BankVerb
    action_id: str
    reference: str
    minor_units: int
    currency: str
    result: BankResult
    decline_code: DeclineCode | None
    rule_id: str
