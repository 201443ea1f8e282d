"""The test cards are the contract's, and nothing of a card but its scenario is used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from services.acquirer.cards import (
    CARDS,
    LOST_REPLIES,
    LOST_REQUESTS,
    NEVER,
    REFUSALS,
    Decline,
    Scenario,
    Verb,
    is_card_number,
    scenario_of,
)

APPROVED = [
    "4242424242424242",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "3566002020360505",
    "6200000000000005",
    "4111111111111111",  # not in the contract: any other number is approved
]
REFUSED = {
    "4000000000000002": (Verb.AUTHORIZE, Decline.CARD_DECLINED),
    "4000000000009995": (Verb.AUTHORIZE, Decline.INSUFFICIENT_FUNDS),
    "4000000000009987": (Verb.AUTHORIZE, Decline.LOST_CARD),
    "4000000000009979": (Verb.AUTHORIZE, Decline.STOLEN_CARD),
    "4000000000000069": (Verb.AUTHORIZE, Decline.EXPIRED_CARD),
    "4000000000000127": (Verb.AUTHORIZE, Decline.INCORRECT_CVV),
    "4000000000000119": (Verb.AUTHORIZE, Decline.PROCESSING_ERROR),
    "4000000000001083": (Verb.AUTHORIZE, Decline.ISSUER_UNAVAILABLE),
    "4000000000000259": (Verb.CAPTURE, Decline.CAPTURE_REJECTED),
    "4000000000003238": (Verb.REFUND, Decline.REFUND_REJECTED),
    "4000000000001067": (Verb.VOID, Decline.VOID_REJECTED),
}
REQUEST_LOST = {"4000000000001018": Verb.AUTHORIZE, "4000000000001042": Verb.CAPTURE}
REPLY_LOST = {
    "4000000000001026": Verb.AUTHORIZE,
    "4000000000001034": Verb.CAPTURE,
    "4000000000001059": Verb.REFUND,
    "4000000000001091": Verb.VOID,
}
REFUSED_FOR_GOOD = {"4000000000001109": Verb.AUTHORIZE, "4000000000001117": Verb.CAPTURE}
SLOW = "4000000000001075"


@pytest.mark.parametrize("pan", APPROVED)
def test_ordinary_cards_are_approved(pan: str) -> None:
    """A number that the table does not name stands for a card that simply works."""
    assert scenario_of(pan) is Scenario.APPROVED


@pytest.mark.parametrize(("pan", "refusal"), REFUSED.items())
def test_a_card_is_refused_at_one_verb(pan: str, refusal: tuple[Verb, Decline]) -> None:
    """Each refusing card refuses exactly one verb, with one code, and loses no message."""
    assert REFUSALS[scenario_of(pan)] == refusal
    assert scenario_of(pan) not in LOST_REQUESTS.keys() | LOST_REPLIES.keys()


@pytest.mark.parametrize(("pan", "verb"), REQUEST_LOST.items())
def test_a_request_is_lost_at_one_verb(pan: str, verb: Verb) -> None:
    """Each of these cards loses the request of one verb and refuses nothing."""
    assert LOST_REQUESTS[scenario_of(pan)] is verb
    assert scenario_of(pan) not in REFUSALS.keys() | LOST_REPLIES.keys()


@pytest.mark.parametrize(("pan", "verb"), REPLY_LOST.items())
def test_a_reply_is_lost_at_one_verb(pan: str, verb: Verb) -> None:
    """Each of these cards loses the reply of one verb and refuses nothing."""
    assert LOST_REPLIES[scenario_of(pan)] is verb
    assert scenario_of(pan) not in REFUSALS.keys() | LOST_REQUESTS.keys()


@pytest.mark.parametrize(("pan", "verb"), REFUSED_FOR_GOOD.items())
def test_a_verb_is_never_done(pan: str, verb: Verb) -> None:
    """Each of these cards has one verb refused for good, and loses no message."""
    assert NEVER[scenario_of(pan)] is verb
    assert scenario_of(pan) not in REFUSALS.keys() | LOST_REQUESTS.keys() | LOST_REPLIES.keys()


def test_the_tables_name_every_card_and_every_scenario() -> None:
    """No card of the code is missing above, and no scenario is without a card."""
    assert set(CARDS) == {*REFUSED, *REQUEST_LOST, *REPLY_LOST, *REFUSED_FOR_GOOD, SLOW}
    assert {*CARDS.values(), Scenario.APPROVED} == set(Scenario)
    assert scenario_of(SLOW) is Scenario.SLOW


@pytest.mark.parametrize("pan", [*APPROVED, *CARDS])
def test_every_test_card_is_a_card_number(pan: str) -> None:
    """The gateway checks numbers before the bank sees them, so each must pass."""
    assert is_card_number(pan)


@pytest.mark.parametrize(
    "pan",
    [
        pytest.param("", id="empty"),
        pytest.param("4242424242424241", id="wrong check digit"),
        pytest.param("4242 4242 4242 4242", id="spaces"),
        pytest.param("00000000000", id="11 digits"),
        pytest.param("00000000000000000000", id="20 digits"),
        pytest.param("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", id="digits of another script"),
    ],
)
def test_what_is_no_card_number(pan: str) -> None:
    """12 to 19 ASCII digits with a right check digit, and nothing else."""
    assert not is_card_number(pan)


@given(st.text(alphabet="0123456789", min_size=12, max_size=19))
def test_the_check_digit_is_luhns(pan: str) -> None:
    """An independent implementation agrees on every number."""
    assert is_card_number(pan) == luhn.is_valid(pan)
