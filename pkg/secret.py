"""What cannot be printed, pickled or formatted by accident; and hashes under a secret key."""

import hashlib
from typing import NoReturn

_BLOCK_BYTES = 64
# How an API key or a signing secret of ours looks in a text, even if its end is missing.
OWN_KEYS = r"sk_[0-9a-z]{16}_\w*|whsec_[\w+/=-]+"
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


class Secret:
    """Text that shows as `••••` wherever it is printed. `reveal()` is the only way to it.

    Compares by value, so that a frozen value that holds one still compares; hashing is refused,
    since a hash ends up in sets, caches and debug output.
    """

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]  # see the docstring

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the text itself."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._value == other._value

    def __repr__(self) -> str:
        return "••••"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never serialised")


class KeyedHash:
    """Makes digests under one key: HMAC-SHA256 (RFC 2104).

    What the key costs is spent once: of a digest a third is left.

    Args:
        key: The secret.
    """

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK_BYTES:
            key = hashlib.sha256(key).digest()
        block = key.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(block.translate(_INNER))
        self._outer = hashlib.sha256(block.translate(_OUTER))

    def of(self, message: bytes) -> bytes:
        """Return the digest of a message, 32 bytes."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()
