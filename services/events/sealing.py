"""Signing secrets at rest: AES-256-GCM under the gateway's webhook key.

The nonce is random, 96 bits (NIST SP 800-38D, section 8.2.2): one key is good for 2^32 secrets.
"""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pkg.secret import Secret

SECRET_BYTES = 32
PREFIX = "whsec_"  # Standard Webhooks 1.0, "Signature scheme"

_NONCE_BYTES = 12
# Before the nonce: a later way of sealing can be told from this one.
_FORMAT = b"\x01"


class SealBrokenError(Exception):
    """The sealed secret was changed, moved to another endpoint, or sealed with another key."""


class SecretBox:
    """Seals signing secrets, each bound to where it belongs.

    Args:
        key: 32 bytes in hexadecimal.

    Raises:
        ValueError: The key is not that. It is not repeated.
    """

    def __init__(self, key: Secret) -> None:
        self._cipher = AESGCM(_key_bytes(key))

    def seal(self, secret: bytes, *, merchant_id: str, endpoint_id: str, secret_id: str) -> bytes:
        """Return what the database holds of a secret; differs each time."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        place = _place(merchant_id, endpoint_id, secret_id)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, secret, place)

    def open(self, sealed: bytes, *, merchant_id: str, endpoint_id: str, secret_id: str) -> bytes:
        """Return the secret.

        Raises:
            SealBrokenError: It was not sealed with this key for this place.
        """
        head, nonce, box = sealed[:1], sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        if head != _FORMAT or len(nonce) != _NONCE_BYTES:
            raise SealBrokenError
        try:
            return self._cipher.decrypt(nonce, box, _place(merchant_id, endpoint_id, secret_id))
        except InvalidTag:
            raise SealBrokenError from None


def new_secret() -> bytes:
    """Return a fresh signing secret of 32 random bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """Return the secret as merchants are told it, once: `whsec_` and base64."""
    return PREFIX + base64.b64encode(secret).decode()


def _key_bytes(key: Secret) -> bytes:
    try:
        value = bytes.fromhex(key.reveal())
    except ValueError:
        value = b""
    if len(value) != 32:
        raise ValueError("the webhook key must be 64 hexadecimal digits")
    return value


def _place(*parts: str) -> bytes:
    # NUL can be in no id: no two places run together.
    return "\0".join(("webhook_secrets", *parts)).encode()
