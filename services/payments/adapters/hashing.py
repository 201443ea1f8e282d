"""Keyed hashes: HMAC-SHA256 (RFC 2104), one derived key for each purpose."""

import json
from collections.abc import Sequence

from pkg.secret import KeyedHash, Secret
from services.payments.domain.card import Pan


class HmacHasher:
    """Fingerprints of requests and cards under one secret key of 32 bytes or more.

    Args:
        key: The secret, as hexadecimal digits.
    """

    def __init__(self, key: Secret) -> None:
        secret = KeyedHash(bytes.fromhex(key.reveal()))
        # What is known of one purpose says nothing about another.
        self._requests = KeyedHash(secret.of(b"paygate request fingerprint v1"))
        self._cards = KeyedHash(secret.of(b"paygate card fingerprint v1"))

    def request(self, merchant_id: str, rpc: str, fields: Sequence[str | int | bool]) -> bytes:
        """Return the fingerprint of a request: JSON keeps every field apart from its neighbour."""
        return self._requests.of(json.dumps([merchant_id, rpc, *fields]).encode())

    def card(self, merchant_id: str, pan: Pan) -> bytes:
        """Return the fingerprint of a card's number; differs between merchants."""
        return self._cards.of(json.dumps([merchant_id, pan.reveal()]).encode())
