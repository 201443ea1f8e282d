"""How the bank decides: every state by every operation, and what holds whatever is asked."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.acquirer import simulator
from services.acquirer.cards import REFUSALS, Decline, Scenario, Verb
from services.acquirer.errors import ReferenceReusedError
from services.acquirer.simulator import (
    Approved,
    Authorization,
    Capture,
    Declined,
    Instruction,
    Operation,
    Recorded,
    Refund,
    Reversed,
    Status,
    Void,
)

OPEN = simulator.authorize("auth", Scenario.APPROVED, minor_units=1000, currency="GBP")
CLOSED = replace(OPEN, status=Status.CLOSED, captured=400, released=600)
STATES: dict[str, Authorization | None] = {
    "open": OPEN,
    "partly captured": replace(OPEN, captured=400),
    "wholly captured": replace(OPEN, captured=1000),
    "closed": CLOSED,
    "partly refunded": replace(CLOSED, refunded=100),
    "wholly refunded": replace(CLOSED, refunded=400),
    "voided": replace(OPEN, status=Status.VOIDED, released=1000),
    "reversed": replace(OPEN, status=Status.REVERSED, released=1000),
    "declined": simulator.authorize(
        "auth", Scenario.CARD_DECLINED, minor_units=1000, currency="GBP"
    ),
    "blocked": simulator.blocked("auth"),
    "unknown": None,
}
OPERATIONS: dict[str, Operation] = {
    "capture 300": Capture(minor_units=300),
    "capture 300, final": Capture(minor_units=300, final=True),
    "capture 1000": Capture(minor_units=1000),
    "capture 1001": Capture(minor_units=1001),
    "void": Void(),
    "void of the rest": Void(remainder=True),
    "refund 300": Refund(minor_units=300),
    "refund 400": Refund(minor_units=400),
    "refund 401": Refund(minor_units=401),
}
# What is approved, and how it leaves the authorization: status, captured, refunded, released.
# Everything that is not here is declined.
APPROVED: dict[tuple[str, str], tuple[Status, int, int, int]] = {
    ("open", "capture 300"): (Status.OPEN, 300, 0, 0),
    ("open", "capture 300, final"): (Status.CLOSED, 300, 0, 700),
    ("open", "capture 1000"): (Status.OPEN, 1000, 0, 0),
    ("open", "void"): (Status.VOIDED, 0, 0, 1000),
    ("partly captured", "capture 300"): (Status.OPEN, 700, 0, 0),
    ("partly captured", "capture 300, final"): (Status.CLOSED, 700, 0, 300),
    ("partly captured", "void of the rest"): (Status.CLOSED, 400, 0, 600),
    ("partly captured", "refund 300"): (Status.CLOSED, 400, 300, 600),
    ("partly captured", "refund 400"): (Status.CLOSED, 400, 400, 600),
    ("wholly captured", "refund 300"): (Status.CLOSED, 1000, 300, 0),
    ("wholly captured", "refund 400"): (Status.CLOSED, 1000, 400, 0),
    ("wholly captured", "refund 401"): (Status.CLOSED, 1000, 401, 0),
    ("closed", "refund 300"): (Status.CLOSED, 400, 300, 600),
    ("closed", "refund 400"): (Status.CLOSED, 400, 400, 600),
    ("partly refunded", "refund 300"): (Status.CLOSED, 400, 400, 600),
}
REJECTIONS = {
    Verb.CAPTURE: Decline.CAPTURE_REJECTED,
    Verb.VOID: Decline.VOID_REJECTED,
    Verb.REFUND: Decline.REFUND_REJECTED,
}


def asked(operation: Operation, reference: str = "op") -> Instruction:
    """Return the instruction to do this to the authorization."""
    return Instruction(reference=reference, authorization_reference="auth", operation=operation)


@pytest.mark.parametrize(("state", "verb"), [*product(STATES, OPERATIONS)])
def test_every_operation_in_every_state(state: str, verb: str) -> None:
    """Either it is approved and moves the amounts as the table says, or nothing changes."""
    before, operation = STATES[state], OPERATIONS[verb]
    decision, after = simulator.decide(before, asked(operation))
    if (state, verb) not in APPROVED:
        assert decision == Declined(REJECTIONS[simulator.verb_of(operation)])
        assert after == before
        return
    assert decision == Approved(simulator.approval_code("op"))
    assert after is not None
    moved = (after.status, after.captured, after.refunded, after.released)
    assert moved == APPROVED[state, verb]
    assert replace(after, status=Status.OPEN, captured=0, refunded=0, released=0) == OPEN


@pytest.mark.parametrize("scenario", Scenario)
def test_every_card_at_authorization(scenario: Scenario) -> None:
    """The card's scenario alone says whether an authorization is approved, and the code if not."""
    made = simulator.authorize("auth", scenario, minor_units=1000, currency="GBP")
    verb, code = REFUSALS.get(scenario, (None, None))
    if verb is Verb.AUTHORIZE:
        assert made.status is Status.DECLINED
        assert (made.decline_code, made.approval_code) == (code, None)
    else:
        assert made.status is Status.OPEN
        assert (made.decline_code, made.approval_code) == (None, simulator.approval_code("auth"))


@pytest.mark.parametrize(
    ("scenario", "captured", "operation"),
    [
        (Scenario.CAPTURE_REJECTED, 0, Capture(minor_units=1)),
        (Scenario.VOID_REJECTED, 0, Void()),
        (Scenario.VOID_REJECTED, 400, Void(remainder=True)),
        (Scenario.REFUND_REJECTED, 400, Refund(minor_units=1)),
    ],
)
def test_a_card_that_refuses_a_verb(
    scenario: Scenario, captured: int, operation: Operation
) -> None:
    """What such a card refuses would be approved on any other, and changes nothing."""
    other = replace(OPEN, captured=captured)
    card = replace(other, scenario=scenario)
    assert isinstance(simulator.decide(other, asked(operation))[0], Approved)
    code = REJECTIONS[simulator.verb_of(operation)]
    assert simulator.decide(card, asked(operation)) == (Declined(code), card)


def test_a_recorded_instruction_has_its_first_outcome() -> None:
    """The same instruction again gets what it got, though it could not be carried out any more."""
    recorded = Recorded(instruction=asked(Void()), decision=Approved("code"))
    assert simulator.replay(recorded, asked(Void())) == Approved("code")


@pytest.mark.parametrize(
    "other",
    [
        asked(Capture(minor_units=301)),
        asked(Capture(minor_units=300, final=True)),
        asked(Refund(minor_units=300)),
        asked(Void()),
        replace(asked(Capture(minor_units=300)), authorization_reference="another"),
    ],
)
def test_a_reference_cannot_be_used_for_something_else(other: Instruction) -> None:
    """Another amount, verb or authorization under a used reference is a caller's mistake."""
    recorded = Recorded(instruction=asked(Capture(minor_units=300)), decision=Approved("code"))
    with pytest.raises(ReferenceReusedError):
        simulator.replay(recorded, other)


@pytest.mark.parametrize("state", [state for state, line in STATES.items() if line])
def test_an_authorization_has_its_first_outcome(state: str) -> None:
    """Whatever was done with it since; only a reversal changes what became of the request."""
    held = STATES[state]
    assert held is not None
    outcome = simulator.replay_authorize(held, OPEN)
    if state in {"reversed", "blocked"}:
        assert outcome == Reversed()
    elif state == "declined":
        assert outcome == Declined(Decline.CARD_DECLINED)
    else:
        assert outcome == Approved(simulator.approval_code("auth"))


@pytest.mark.parametrize("other", [replace(OPEN, minor_units=999), replace(OPEN, currency="EUR")])
def test_an_authorization_cannot_be_asked_for_another_amount(other: Authorization) -> None:
    """The first outcome would make the caller believe in an amount that is not held."""
    with pytest.raises(ReferenceReusedError):
        simulator.replay_authorize(OPEN, other)


operations = st.one_of(
    st.builds(Capture, minor_units=st.integers(1, 1200), final=st.booleans()),
    st.builds(Refund, minor_units=st.integers(1, 1200)),
    st.just(Void()),
)


@given(st.lists(operations, max_size=20))
def test_money_is_never_made(sequence: list[Operation]) -> None:
    """Refunded ≤ captured ≤ amount less released; nothing is taken once a hold is closed."""
    line: Authorization | None = OPEN
    for number, operation in enumerate(sequence):
        before = line
        assert before is not None
        _, line = simulator.decide(before, asked(operation, f"op{number}"))
        assert line is not None
        assert 0 <= line.refunded <= line.captured <= line.minor_units - line.released
        assert before.status is Status.OPEN or line.captured == before.captured
