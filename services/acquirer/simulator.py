"""How the bank decides: frozen values and pure functions, no clock, no network, no database."""

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum, unique
from typing import assert_never

from services.acquirer.cards import REFUSALS, Decline, Scenario, Verb
from services.acquirer.errors import ReferenceReusedError


@dataclass(frozen=True, slots=True)
class Approved:
    """It is done; `approval_code` is the bank's own reference for it."""

    approval_code: str


@dataclass(frozen=True, slots=True)
class Declined:
    """It is refused, and nothing has changed."""

    code: Decline


@dataclass(frozen=True, slots=True)
class Reversed:
    """The authorization was undone, or blocked before it came."""


@dataclass(frozen=True, slots=True)
class NotFound:
    """The bank knows of no such operation."""


Decision = Approved | Declined
Outcome = Approved | Declined | Reversed | NotFound


@unique
class Status(StrEnum):
    """What became of an authorization."""

    OPEN = "OPEN"  # the hold stands: what is not captured yet may be
    CLOSED = "CLOSED"  # captured in part or whole, and the rest of the hold released
    VOIDED = "VOIDED"
    REVERSED = "REVERSED"
    DECLINED = "DECLINED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """A line of the book. Amounts are minor units of `currency`.

    Always `0 <= refunded <= captured` and `captured + released <= minor_units`.
    """

    reference: str
    status: Status
    scenario: Scenario
    minor_units: int
    currency: str
    captured: int = 0
    refunded: int = 0
    released: int = 0
    decline_code: Decline | None = None
    approval_code: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """Take money that is held; `final` also releases the rest."""

    minor_units: int
    final: bool = False


@dataclass(frozen=True, slots=True)
class Void:
    """Drop a hold: of which nothing was captured, or else the `remainder` of one that was."""

    remainder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """Give captured money back; the rest of the hold is released."""

    minor_units: int


Operation = Capture | Void | Refund


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """What a caller wants done to an authorization, under a reference of its own choice."""

    reference: str
    authorization_reference: str
    operation: Operation


@dataclass(frozen=True, slots=True)
class Approve:
    """Somebody wants it approved whatever the card says, if the book holds it."""


Word = Approve | Declined  # of a rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An instruction that the book holds, and how it ended."""

    instruction: Instruction
    decision: Decision


def authorize(
    reference: str, scenario: Scenario, *, minor_units: int, currency: str
) -> Authorization:
    """Decide a new authorization of an amount in minor units: its line of the book."""
    code = _refusal(scenario, Verb.AUTHORIZE)
    return Authorization(
        reference=reference,
        status=Status.DECLINED if code else Status.OPEN,
        scenario=scenario,
        minor_units=minor_units,
        currency=currency,
        decline_code=code,
        approval_code=None if code else approval_code(reference),
    )


def blocked(reference: str) -> Authorization:
    """Return the line of a reference that was reversed before its authorization came."""
    return Authorization(
        reference=reference,
        status=Status.REVERSED,
        scenario=Scenario.APPROVED,
        minor_units=0,
        currency="",
    )


def ruled(asked: Authorization, word: Word) -> Authorization:
    """Decide a new authorization by a word instead of its card."""
    code = word.code if isinstance(word, Declined) else None
    return replace(
        asked,
        status=Status.DECLINED if code else Status.OPEN,
        decline_code=code,
        approval_code=None if code else approval_code(asked.reference),
    )


def decide(
    authorization: Authorization | None, instruction: Instruction, word: Word | None = None
) -> tuple[Decision, Authorization | None]:
    """Decide an instruction: the outcome, and the authorization as it is afterwards.

    What the bank cannot do it declines, whatever the reason, an unknown authorization included:
    the gateway's own guards are what tells a client why. A `word` counts instead of the card's, but
    not instead of the book's.
    """
    if isinstance(word, Declined):
        return word, authorization
    is_refused = word is None and authorization and _refuses(authorization, instruction)
    changed = None
    if authorization and not is_refused:
        changed = _applied(authorization, instruction.operation)
    if changed is None:
        return Declined(_rejection(instruction.operation)), authorization
    return Approved(approval_code(instruction.reference)), changed


def replay(recorded: Recorded, instruction: Instruction) -> Decision:
    """Return how the instruction ended the first time.

    Raises:
        ReferenceReusedError: It was another one. Answering with that one's outcome would make the
            caller believe in an amount that was never moved.
    """
    if recorded.instruction != instruction:
        raise ReferenceReusedError
    return recorded.decision


def replay_authorize(held: Authorization, asked: Authorization) -> Outcome:
    """Return how the authorization ended: undone, or else as it was decided the first time.

    Raises:
        ReferenceReusedError: It was for another amount or currency.
    """
    if held.status is Status.REVERSED:
        return Reversed()
    if (held.minor_units, held.currency) != (asked.minor_units, asked.currency):
        raise ReferenceReusedError
    return outcome_of(held)


def outcome_of(authorization: Authorization) -> Outcome:
    """Return how the request for the authorization ended, whatever was done with it since."""
    if authorization.status is Status.REVERSED:
        return Reversed()
    if authorization.decline_code:
        return Declined(authorization.decline_code)
    return Approved(authorization.approval_code or "")


def verb_of(operation: Operation) -> Verb:
    """Return the operation's name."""
    match operation:
        case Capture():
            return Verb.CAPTURE
        case Void():
            return Verb.VOID
        case Refund():
            return Verb.REFUND
        case _:
            assert_never(operation)


def minor_units_of(operation: Operation, hold: Authorization | None) -> int:
    """Return what an operation takes or gives back, or what a void drops, in minor units."""
    if isinstance(operation, Void):
        return hold.minor_units - hold.captured if hold else 0
    return operation.minor_units


def approval_code(reference: str) -> str:
    """Return the bank's own code for what it approved: eight characters, one per reference."""
    return hashlib.blake2s(reference.encode(), digest_size=4).hexdigest().upper()


def _refuses(hold: Authorization, instruction: Instruction) -> bool:
    return _refusal(hold.scenario, verb_of(instruction.operation)) is not None


def _applied(hold: Authorization, operation: Operation) -> Authorization | None:
    """Return the authorization after the operation, or None when it is not possible."""
    match operation:
        case Capture():
            return _captured(hold, operation)
        case Void():
            return _voided(hold, operation)
        case Refund():
            return _refunded(hold, operation)
        case _:
            assert_never(operation)


def _captured(hold: Authorization, capture: Capture) -> Authorization | None:
    if hold.status is not Status.OPEN or capture.minor_units > hold.minor_units - hold.captured:
        return None
    taken = replace(hold, captured=hold.captured + capture.minor_units)
    return _closed(taken) if capture.final else taken


def _voided(hold: Authorization, void: Void) -> Authorization | None:
    if hold.status is not Status.OPEN or bool(hold.captured) is not void.remainder:
        return None
    if void.remainder:
        return _closed(hold) if hold.captured < hold.minor_units else None
    return replace(hold, status=Status.VOIDED, released=hold.minor_units)


def _refunded(hold: Authorization, refund: Refund) -> Authorization | None:
    if refund.minor_units > hold.captured - hold.refunded:
        return None
    return replace(_closed(hold), refunded=hold.refunded + refund.minor_units)


def _closed(hold: Authorization) -> Authorization:
    """Release what is held and not captured."""
    return replace(hold, status=Status.CLOSED, released=hold.minor_units - hold.captured)


def _refusal(scenario: Scenario, verb: Verb) -> Decline | None:
    """Return why the card makes the bank refuse the verb, if it does."""
    refused, code = REFUSALS.get(scenario, (None, None))
    return code if refused is verb else None


def _rejection(operation: Operation) -> Decline:
    match operation:
        case Capture():
            return Decline.CAPTURE_REJECTED
        case Void():
            return Decline.VOID_REJECTED
        case Refund():
            return Decline.REFUND_REJECTED
        case _:
            assert_never(operation)
