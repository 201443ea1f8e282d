"""Who calls: the merchant of an API key."""

import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.payments.domain.error import InvalidApiKeyError

# Within this time a revoked key stops working in every worker.
CACHE_SECONDS = 5.0
CACHE_ENTRIES_MAX = 10_000

_KEY = re.compile(r"sk_([0-9a-z]{16})_[0-9a-f]{64}\Z")
_KEY_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_NO_DIGEST = bytes(32)


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is stored of an API key."""

    merchant_id: str
    digest: bytes
    revoke_time: datetime | None


class KeyStore(Protocol):
    """Where the digests of API keys live."""

    async def find_key(self, key_id: str) -> KeyRecord | None:
        """Return the key with that id."""


class Digest(Protocol):
    """The keyed hash of an API key."""

    def of(self, api_key: str) -> bytes:
        """Return 32 bytes."""


def new_api_key() -> tuple[str, str]:
    """Return a fresh key's id and the key: `sk_<id>_<256 bits>`."""
    key_id = "".join(secrets.choice(_KEY_ID_ALPHABET) for _ in range(16))
    return key_id, f"sk_{key_id}_{secrets.token_hex(32)}"


class Authenticator:
    """Tells the merchant by the key. Missing, unknown, wrong and revoked keys look alike.

    A record is kept in memory for `CACHE_SECONDS`, so that not every call asks the database.
    """

    def __init__(
        self, keys: KeyStore, digest: Digest, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = keys
        self._digest = digest
        self._monotonic = monotonic
        self._cache: dict[str, tuple[float, KeyRecord | None]] = {}

    async def merchant_of(self, authorization: str) -> str:
        """Return the id of the merchant whose key `Bearer <key>` holds.

        Raises:
            InvalidApiKeyError: It holds none.
            DependencyUnavailableError: The database cannot be asked.
        """
        scheme, _, api_key = authorization.partition(" ")
        match = _KEY.match(api_key) if scheme.lower() == "bearer" else None
        if match is None:
            raise InvalidApiKeyError
        record = await self._record(match[1])
        # Compared in any case, so that an unknown id takes as long as a wrong secret.
        expected = record.digest if record else _NO_DIGEST
        same = hmac.compare_digest(self._digest.of(api_key), expected)
        if record is None or not same or record.revoke_time is not None:
            raise InvalidApiKeyError
        return record.merchant_id

    async def _record(self, key_id: str) -> KeyRecord | None:
        now = self._monotonic()
        cached = self._cache.get(key_id)
        if cached and now < cached[0]:
            return cached[1]
        record = await self._keys.find_key(key_id)
        if len(self._cache) >= CACHE_ENTRIES_MAX:
            self._cache.clear()
        self._cache[key_id] = (now + CACHE_SECONDS, record)
        return record
