"""Keyed hashes: HMAC-SHA256 (RFC 2104), one derived key for each purpose."""

import hashlib
import hmac
import json
from collections.abc import Sequence

from pkg.secret import Secret
from services.payments.domain.card import Pan


class HmacHasher:
    """Fingerprints of requests and cards under one secret key of 32 bytes or more.

    Args:
        key: The secret, as hexadecimal digits.
    """

    def __init__(self, key: Secret) -> None:
        secret = bytes.fromhex(key.reveal())
        # What is known of one purpose says nothing about another.
        self._request_key = _mac(secret, b"paygate request fingerprint v1")
        self._card_key = _mac(secret, b"paygate card fingerprint v1")

    def request(self, merchant_id: str, rpc: str, fields: Sequence[str | int | bool]) -> bytes:
        """Return the fingerprint of a request: JSON keeps every field apart from its neighbour."""
        return _mac(self._request_key, json.dumps([merchant_id, rpc, *fields]).encode())

    def card(self, merchant_id: str, pan: Pan) -> bytes:
        """Return the fingerprint of a card's number; differs between merchants."""
        return _mac(self._card_key, json.dumps([merchant_id, pan.reveal()]).encode())


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)
