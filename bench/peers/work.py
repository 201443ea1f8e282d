"""What every peer does to an authorization before it is stored; no peer does more or less."""

import hashlib
import hmac
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pkg.ids import new_id

MERCHANT = "mer_bench"
POOL_SIZE = 10
CURRENCIES = frozenset({"GBP", "EUR", "USD", "JPY", "CHF", "SEK", "PLN"})
LIFETIME = timedelta(days=7)

_HASH_KEY = bytes.fromhex("a5" * 32)
_CIPHER = AESGCM(bytes.fromhex("c3" * 32))


class InvalidError(ValueError):
    """The request can't be accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An authorization that is wanted, as it was sent."""

    pan: str
    month: int
    year: int
    cvv: str
    minor_units: int
    currency: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorized:
    """What is stored of an authorization, but for the reply."""

    payment_id: str
    action_id: str
    event_id: str
    brand: str
    last4: str
    request_fingerprint: bytes
    card_fingerprint: bytes
    card_ciphertext: bytes
    create_time: datetime
    expire_time: datetime


def authorized(order: Order) -> Authorized:
    """Validate, encrypt and hash.

    Raises:
        InvalidError: Something is wrong with the request.
    """
    now = datetime.now(UTC)
    pan = _checked(order, now)
    payment_id = new_id("pay", now)
    request = "\0".join(
        (
            pan,
            str(order.minor_units),
            order.currency,
            order.reference,
            f"{order.month}/{order.year}",
        )
    )
    return Authorized(
        payment_id=payment_id,
        action_id=new_id("act", now),
        event_id=new_id("evt", now),
        brand={"4": "VISA", "5": "MASTERCARD", "3": "AMERICAN_EXPRESS"}.get(pan[0], "UNSPECIFIED"),
        last4=pan[-4:],
        request_fingerprint=hmac.digest(_HASH_KEY, request.encode(), hashlib.sha256),
        card_fingerprint=hmac.digest(_HASH_KEY, pan.encode(), hashlib.sha256),
        card_ciphertext=_sealed(f"{pan}|{order.month}|{order.year}", payment_id),
        create_time=now,
        expire_time=now + LIFETIME,
    )


def _checked(order: Order, now: datetime) -> str:
    pan = order.pan.replace(" ", "").replace("-", "")
    if not (pan.isascii() and pan.isdigit() and 12 <= len(pan) <= 19 and _luhn(pan)):
        raise InvalidError("card_details.pan")
    if not (1 <= order.month <= 12 and (order.year, order.month) >= (now.year, now.month)):
        raise InvalidError("card_details.expiry")
    if not (order.cvv.isascii() and order.cvv.isdigit() and len(order.cvv) in {3, 4}):
        raise InvalidError("card_details.cvv")
    if not 0 < order.minor_units <= 10**12:
        raise InvalidError("amount.minor_units")
    if order.currency not in CURRENCIES:
        raise InvalidError("amount.currency")
    if len(order.reference) > 255:
        raise InvalidError("reference")
    return pan


def _luhn(digits: str) -> bool:
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def _sealed(plain: str, bound_to: str) -> bytes:
    nonce = os.urandom(12)
    return nonce + _CIPHER.encrypt(nonce, plain.encode(), bound_to.encode())
