"""Who calls: the merchant of an API key."""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pkg.errors import InvalidApiKeyError
from pkg.rpc import Context, metadata_values
from pkg.secret import Secret
from pkg.sql import Pool, translated

# Within this time a revoked key stops working in every worker.
CACHE_SECONDS = 5.0
CACHE_ENTRIES_MAX = 10_000

_KEY = re.compile(r"sk_([0-9a-z]{16})_[0-9a-f]{64}\Z")
_KEY_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_NO_DIGEST = bytes(32)

# Ids of keys are random and unique enough that no two merchants share one.
_FIND_KEY = "SELECT merchant_id, digest, revoke_time FROM api_keys WHERE id = $1"
_CREATE_KEY = """
WITH merchant AS (
  INSERT INTO merchants (id, name, create_time) VALUES ($1, $2, $5)
  ON CONFLICT (id) DO NOTHING
)
INSERT INTO api_keys (merchant_id, id, digest, create_time) VALUES ($1, $3, $4, $5)
"""


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


class KeyDigest:
    """What is stored of an API key: an HMAC under the pepper, so that a dump holds no key.

    Args:
        pepper: The secret, as hexadecimal digits.
    """

    def __init__(self, pepper: Secret) -> None:
        self._pepper = bytes.fromhex(pepper.reveal())

    def of(self, api_key: str) -> bytes:
        """Return the digest of a whole key."""
        return hmac.digest(self._pepper, api_key.encode(), hashlib.sha256)


class PostgresKeyStore:
    """The digests of API keys in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find_key(self, key_id: str) -> KeyRecord | None:
        """Return the key with that id."""
        async with translated():
            row = await self._pool.fetchrow(_FIND_KEY, key_id)
        return KeyRecord(row["merchant_id"], row["digest"], row["revoke_time"]) if row else None

    async def create_key(
        self, *, merchant_id: str, name: str, key_id: str, digest: bytes, now: datetime
    ) -> None:
        """Store a key, and its merchant if that is new."""
        async with translated():
            await self._pool.execute(_CREATE_KEY, merchant_id, name, key_id, digest, now)


def new_api_key() -> tuple[str, str]:
    """Return a fresh key's id and the key: `sk_<id>_<256 bits>`."""
    key_id = "".join(secrets.choice(_KEY_ID_ALPHABET) for _ in range(16))
    return key_id, f"sk_{key_id}_{secrets.token_hex(32)}"


class Authenticator:
    """Tells the merchant by the key. Missing, unknown, wrong and revoked keys look alike.

    A record is kept in memory for `CACHE_SECONDS`, so that not every call asks the database.
    """

    def __init__(
        self, keys: KeyStore, digest: KeyDigest, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._keys = keys
        self._digest = digest
        self._monotonic = monotonic
        self._cache: dict[str, tuple[float, KeyRecord | None]] = {}

    async def caller(self, context: Context) -> str:
        """Return the id of the merchant who makes this call.

        Raises:
            InvalidApiKeyError: The call carries no valid key, or several.
            DependencyUnavailableError: The database cannot be asked.
        """
        values = metadata_values(context, "authorization")
        return await self.merchant_of(values[0] if len(values) == 1 else "")

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
