"""A payment in every state, by name, for the tests of its rules."""

from dataclasses import replace

from services.payments.domain.hold import Hold
from services.payments.domain.outcome import DeclineCode, Declined, Rejected
from services.payments.domain.payment import Payment
from tests.builders import (
    LATER,
    LIFETIME,
    NOW,
    authorized,
    begun,
    capture,
    captured,
    refund,
    refunded,
    settled,
    void,
    void_remainder,
)

NO = Declined(DeclineCode.CARD_DECLINED)
EXPIRED_NOW = NOW + LIFETIME

STATES: dict[str, Payment] = {
    "pending": begun()[0],
    "declined": settled(begun(), NO)[0],
    "failed": settled(begun(), Rejected())[0],
    "reversing": begun()[0].reverse(action_id="act_r", now=LATER)[0],
    "authorized": authorized(),
    "capturing 400": capture(authorized(), 400)[0],
    "capturing all": capture(authorized(), 1000)[0],
    "capturing 400 finally": capture(authorized(), 400, final=True)[0],
    "captured 400": captured(authorized(), 400),
    "captured 400, releasing 600": void_remainder(captured(authorized(), 400))[0],
    "captured 400, released 600": settled(void_remainder(captured(authorized(), 400)))[0],
    "captured 400, capturing 600": capture(captured(authorized(), 400), 600)[0],
    "captured 400 finally": captured(authorized(), 400, final=True),
    "captured all": captured(authorized(), 1000),
    "captured 400, refunding 100": refund(captured(authorized(), 400), 100)[0],
    "captured 400, refunding all": refund(captured(authorized(), 400), 400)[0],
    "captured 400, refunded 100": refunded(captured(authorized(), 400), 100),
    "captured 400, refunded 100, refunding 300": refund(
        refunded(captured(authorized(), 400), 100), 300
    )[0],
    "captured 400, refunded all": refunded(captured(authorized(), 400), 400),
    "voiding": void(authorized())[0],
    "voided": settled(void(authorized()))[0],
    "expired": replace(authorized(), hold=Hold.EXPIRED),
    "expiring": replace(authorized(), hold=Hold.EXPIRING),
    "captured 400, expiring": replace(captured(authorized(), 400), hold=Hold.EXPIRING),
    "captured 400, refunded 100, expiring": refunded(
        replace(captured(authorized(), 400), hold=Hold.EXPIRING), 100
    ),
    "captured 400, expired": replace(captured(authorized(), 400), hold=Hold.CLOSED),
}
