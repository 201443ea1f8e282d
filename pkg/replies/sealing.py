"""Stored replies at rest: AES-256-GCM, since a reply may tell a secret that is told but once.

The nonce is random, 96 bits (NIST SP 800-38D, section 8.2.2): one key is good for 2^32 replies.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pkg.secret import Secret

_NONCE_BYTES = 12
_FORMAT = b"\x01"  # before the nonce: a later way of sealing can be told from this one


class ReplySealBrokenError(Exception):
    """The stored reply was changed, moved to another key, or sealed by another secret."""


class ReplyBox:
    """Seals replies, each bound to whose it is, its RPC and its idempotency key.

    Args:
        key: A secret, as hexadecimal digits; the replies' own key is derived from it.
    """

    def __init__(self, key: Secret) -> None:
        secret = bytes.fromhex(key.reveal())
        self._cipher = AESGCM(hmac.digest(secret, b"paygate stored reply v1", hashlib.sha256))

    def seal(self, reply: bytes, place: Sequence[str]) -> bytes:
        """Return what the database holds of a reply; differs each time."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, reply, _bound(place))

    def open(self, sealed: bytes, place: Sequence[str]) -> bytes:
        """Return the reply.

        Raises:
            ReplySealBrokenError: It was not sealed with this key for this place.
        """
        head, nonce, box = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if head != _FORMAT:
            raise ReplySealBrokenError
        try:
            return self._cipher.decrypt(nonce, box, _bound(place))
        except (InvalidTag, ValueError):
            raise ReplySealBrokenError from None


def _bound(place: Sequence[str]) -> bytes:
    return json.dumps(["stored_replies", *place]).encode()
