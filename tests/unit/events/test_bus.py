"""Subjects on the bus."""

import pytest

from services.events.nats_bus import subject_of


@pytest.mark.parametrize(
    ("merchant_id", "subject"),
    [
        ("mer_demo", "paygate.payments.mer_demo.captured"),
        ("a.b", "paygate.payments.a%2Eb.captured"),
        ("*", "paygate.payments.%2A.captured"),
        (">", "paygate.payments.%3E.captured"),
        ("a b", "paygate.payments.a%20b.captured"),
    ],
)
def test_a_merchants_id_is_one_word_of_the_subject(merchant_id: str, subject: str) -> None:
    """No id can reach into another merchant's subjects."""
    assert subject_of(merchant_id, "payment.captured") == subject
