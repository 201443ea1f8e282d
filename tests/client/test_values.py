"""Values of the Python client: money, open enums, and a card that does not print."""

import copy
import pickle
from typing import Any

import iso4217
import pytest

from paygate.payments.v1 import payment_pb2 as pb
from paygate.webhooks.v1 import webhook_pb2 as hooks
from paygate_client import (
    ActionStatus,
    ActionType,
    Brand,
    Card,
    DeclineCode,
    DeliveryStatus,
    EndpointStatus,
    EventType,
    Expiry,
    Money,
    PaymentStatus,
)
from paygate_client.enums import OpenEnum
from paygate_client.money import EXPONENTS
from services.events.requests import LISTED_TYPES
from tests.sentinels import CVV, VISA


def test_the_exponents_are_those_of_iso_4217() -> None:
    """The client knows every currency with an exponent, and no other."""
    published = {c.code: c.exponent for c in iso4217.Currency if c.exponent is not None}
    assert published == EXPONENTS


@pytest.mark.parametrize(
    ("text", "minor_units"),
    [
        ("10.00 GBP", 1000),
        ("10.5 GBP", 1050),
        ("10 GBP", 1000),
        ("0.01 USD", 1),
        ("1000 JPY", 1000),
        ("1.234 KWD", 1234),
        ("1.2345 CLF", 12345),
    ],
)
def test_money_is_read_in_the_currencys_own_decimals(text: str, minor_units: int) -> None:
    """What is read is exact, and prints with all decimals of its currency."""
    read = Money.parse(text)
    assert read == Money(minor_units, text[-3:])
    assert Money.parse(str(read)) == read


@pytest.mark.parametrize(
    "text",
    [
        *("10.000 GBP", "10.0 JPY", "10. GBP", ".5 GBP", "-1 GBP", "1e3 GBP", "1,000 GBP", "10GBP"),
        *("10 gbp", "10 XAU", "10 ZZZ", "10", "", "GBP", "١٠ GBP", " 10 GBP", "10 GBP\n"),
    ],
)
def test_what_could_be_misread_is_no_money(text: str) -> None:
    """Too many decimals, other digits and separators, and unknown currencies are refused."""
    with pytest.raises(ValueError, match=r"amount|currency"):
        Money.parse(text)


def test_money_is_whole_and_of_one_currency() -> None:
    """Floats and truth values are no minor units, and two currencies never meet."""
    for wrong in (10.0, True, "10", None):
        with pytest.raises(TypeError):
            Money(wrong, "GBP")  # type: ignore[arg-type]
    pound, euro = Money(1, "GBP"), Money(1, "EUR")
    assert pound + pound - pound == pound
    assert pound < pound + pound
    assert not pound - pound
    for mix in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__):
        with pytest.raises(ValueError, match="do not mix"):
            mix(pound, euro)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (PaymentStatus, pb.Payment.Status),
        (ActionStatus, pb.Action.Status),
        (ActionType, pb.Action.Type),
        (DeclineCode, pb.Decline.Code),
        (Brand, pb.Card.Brand),
        (EndpointStatus, hooks.WebhookEndpoint.Status),
        (DeliveryStatus, hooks.Delivery.Status),
    ],
)
def test_every_value_of_the_protos_has_a_name(ours: type[OpenEnum], theirs: Any) -> None:
    """The client's names are those of the protos, but for "unspecified" where it is never sent."""
    named = {member.value for member in ours}
    unspecified = {name for name, _ in theirs.items() if name.endswith("_UNSPECIFIED")}
    assert named | unspecified == set(theirs.keys())


def test_every_type_of_event_has_a_name() -> None:
    """The client's names are the events service's."""
    assert {member.value for member in EventType} == set(LISTED_TYPES)


def test_an_unknown_value_is_a_value() -> None:
    """What a newer gateway says is equal to its text, can be a key, and can be stored."""
    unknown = DeclineCode("CODE_OF_THE_FUTURE")
    assert unknown == "CODE_OF_THE_FUTURE"
    assert unknown == DeclineCode("CODE_OF_THE_FUTURE")
    assert not unknown.is_known
    assert {unknown: 1}["CODE_OF_THE_FUTURE"] == 1  # type: ignore[index]
    assert pickle.loads(pickle.dumps(unknown)) == unknown  # noqa: S301 - our own
    assert str(unknown) == "CODE_OF_THE_FUTURE"
    assert "CODE_OF_THE_FUTURE" not in {member.value for member in DeclineCode}
    assert DeclineCode("CODE_LOST_CARD") is DeclineCode.LOST_CARD
    assert DeclineCode.LOST_CARD.is_known


def test_a_card_neither_prints_nor_is_stored() -> None:
    """No form of it that logs and queues make by themselves has the number or the CVV."""
    card = Card(VISA, Expiry(12, 2035), CVV)
    for text in (repr(card), str(card), f"{card!r:>30}", repr([card]), repr({"card": card})):
        assert VISA not in text
        assert CVV not in text
    for store in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="not to be stored"):
            store(card)
    with pytest.raises(TypeError) as wrong:
        Card(int(VISA), Expiry(12, 2035), CVV)  # type: ignore[arg-type]
    assert VISA not in str(wrong.value)
