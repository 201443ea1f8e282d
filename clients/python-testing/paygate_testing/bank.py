"""What the simulated bank does in one sandbox."""

from contextlib import suppress
from types import TracebackType
from typing import Literal

from paygate_client import (
    BankEffect,
    BankRequest,
    BankRule,
    BankVerb,
    DeclineCode,
    NotFoundError,
    Paygate,
)

Verb = Literal["authorize", "capture", "void", "refund"]

_VERBS: dict[Verb, BankVerb] = {
    "authorize": BankVerb.AUTHORIZE,
    "capture": BankVerb.CAPTURE,
    "void": BankVerb.VOID,
    "refund": BankVerb.REFUND,
}
_DECLINES: dict[Verb, DeclineCode] = {
    "authorize": DeclineCode.CARD_DECLINED,
    "capture": DeclineCode.CAPTURE_REJECTED,
    "void": DeclineCode.VOID_REJECTED,
    "refund": DeclineCode.REFUND_REJECTED,
}


class Bank:
    """Tells the bank what to do; without orders, the card's number decides.

    Each order is a rule for this sandbox's operations. Of several rules for an operation the one
    counts that was made first. An operation counts once, however often paygate has to repeat it.

    Args:
        client: Of the sandbox.
    """

    def __init__(self, client: Paygate) -> None:
        self._client = client
        self._outages: list[BankRule] = []

    def decline_next(
        self,
        verb: Verb,
        *,
        code: DeclineCode | None = None,
        times: int = 1,
        reference_prefix: str = "",
    ) -> BankRule:
        """Have the bank decline the next operation of a kind.

        Args:
            verb: Which kind.
            code: Why; by default `CARD_DECLINED` of an authorization, and of others
                `CAPTURE_REJECTED`, `VOID_REJECTED` or `REFUND_REJECTED`.
            times: The next so many.
            reference_prefix: Only those whose reference, or whose payment's, begins with this.
        """
        return self.add(
            BankRule(
                effect=BankEffect.DECLINE,
                decline_code=code or _DECLINES[verb],
                verb=_VERBS[verb],
                times=times,
                reference_prefix=reference_prefix,
            )
        )

    def lose_next_request(
        self, verb: Verb, *, times: int = 1, reference_prefix: str = ""
    ) -> BankRule:
        """Have the next request get lost on its way to the bank.

        The operation is PENDING. Then paygate sends it again; an authorization it gives up: FAILED.
        """
        return self._lose(BankEffect.LOSE_REQUEST, verb, times, reference_prefix)

    def lose_next_reply(
        self, verb: Verb, *, times: int = 1, reference_prefix: str = ""
    ) -> BankRule:
        """Have the bank's next reply get lost: it has done what it was asked, and nobody is told.

        The operation is PENDING until paygate has asked the bank what became of it.
        """
        return self._lose(BankEffect.LOSE_REPLY, verb, times, reference_prefix)

    def outage(self) -> "Outage":
        """Have the bank be away, from now on: until `recovers()`, or the end of a `with` block.

        What it is asked for meanwhile is PENDING, each operation for a minute at most. Afterwards
        paygate carries it out; an authorization it gives up: FAILED.
        """
        self._outages.append(self.add(BankRule(effect=BankEffect.UNAVAILABLE)))
        return Outage(self)

    def recovers(self) -> None:
        """End every outage; if there is none, nothing happens."""
        while self._outages:
            self._remove(self._outages[-1])
            self._outages.pop()

    def add(self, rule: BankRule) -> BankRule:
        """Make a rule of any other kind: by amount, card, chance or time. Return it as made."""
        return self._client.sandbox.create_bank_rule(rule)

    def forget(self) -> None:
        """Remove all rules; what was decided by them stays."""
        self._outages.clear()
        for rule in self._client.sandbox.bank_rules():
            self._remove(rule)

    def requests(self, verb: Verb | None = None) -> list[BankRequest]:
        """Return what the bank was asked for, the oldest first: the last 500.

        Args:
            verb: Only what this asks for; without it also how paygate asked what became of it.
        """
        found = list(self._client.sandbox.bank_requests())
        return [one for one in reversed(found) if verb is None or one.verb == _VERBS[verb]]

    def _lose(self, effect: BankEffect, verb: Verb, times: int, reference_prefix: str) -> BankRule:
        return self.add(
            BankRule(
                effect=effect, verb=_VERBS[verb], times=times, reference_prefix=reference_prefix
            )
        )

    def _remove(self, rule: BankRule) -> None:
        with suppress(NotFoundError):  # a test has done so, or has reset the sandbox
            self._client.sandbox.delete_bank_rule(rule)


class Outage:
    """An outage that has begun; used in a `with` statement, it ends with the block."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._bank.recovers()
