"""Who calls: the merchant of an API key, and whether the key is for this call."""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from pkg.errors import InsufficientScopeError, InvalidApiKeyError
from pkg.rpc import Context, called_method, metadata_values
from pkg.scopes import Scopes, allowed, known
from pkg.secret import Secret
from pkg.sql import Pool, translated

# A revoked key stops working in every worker within 5 s: this, and time for the call it comes with.
CACHE_SECONDS = 4.0
CACHE_ENTRIES_MAX = 10_000

_KEY = re.compile(r"sk_([0-9a-z]{16})_[0-9a-f]{64}\Z")
_KEY_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_NO_DIGEST = bytes(32)

# Ids of keys are random and unique enough that no two merchants share one.
_FIND_KEY = """
SELECT
  k.merchant_id, k.digest, k.scopes, k.expire_time,
  k.revoke_time IS NOT NULL OR m.disable_time IS NOT NULL AS is_ended
FROM api_keys k
JOIN merchants m ON m.id = k.merchant_id
WHERE k.id = $1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """What is stored of an API key.

    `is_ended` says that it was revoked, or its merchant disabled; `expire_time` is when it ends by
    itself, in real time.
    """

    merchant_id: str
    digest: bytes
    scopes: Scopes
    expire_time: datetime | None = None
    is_ended: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose call it is, by which of the merchant's keys, and what that key may be used for."""

    merchant_id: str
    key_id: str
    scopes: Scopes


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
        if row is None:
            return None
        return KeyRecord(
            merchant_id=row["merchant_id"],
            digest=row["digest"],
            scopes=known(row["scopes"]),
            expire_time=row["expire_time"],
            is_ended=row["is_ended"],
        )


def new_api_key() -> tuple[str, str]:
    """Return a fresh key's id and the key: `sk_<id>_<256 bits>`."""
    key_id = "".join(secrets.choice(_KEY_ID_ALPHABET) for _ in range(16))
    return key_id, f"sk_{key_id}_{secrets.token_hex(32)}"


class Authenticator:
    """Tells the caller by the key. Missing, unknown, wrong and ended keys look alike.

    A record is kept in memory for `CACHE_SECONDS`, so that not every call asks the database.
    """

    def __init__(
        self,
        keys: KeyStore,
        digest: KeyDigest,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = keys
        self._digest = digest
        self._monotonic = monotonic
        self._now = now
        self._cache: dict[str, tuple[float, KeyRecord | None]] = {}

    async def merchant_id(self, context: Context) -> str:
        """Return the id of the merchant who makes this call; raises what `caller` does."""
        return (await self.caller(context)).merchant_id

    async def caller(self, context: Context) -> Caller:
        """Return who makes this call, by a key that is for it.

        Raises:
            InvalidApiKeyError: The call carries no valid key, or several.
            InsufficientScopeError: The key is valid, and not for this call.
            DependencyUnavailableError: The database cannot be asked.
        """
        values = metadata_values(context, "authorization")
        caller = await self.caller_of(values[0] if len(values) == 1 else "")
        needed = allowed(called_method())
        if caller.scopes.isdisjoint(needed):
            raise InsufficientScopeError(any_of=", ".join(sorted(needed)))
        return caller

    async def caller_of(self, authorization: str) -> Caller:
        """Return whose key `Bearer <key>` holds.

        Raises:
            InvalidApiKeyError: It holds none.
            DependencyUnavailableError: The database cannot be asked.
        """
        scheme, _, api_key = authorization.partition(" ")
        match = _KEY.match(api_key) if scheme.lower() == "bearer" else None
        if match is None:
            # At once: how long this takes says no more than what a key looks like, which all know.
            raise InvalidApiKeyError
        record = await self._record(match[1])
        # Compared in any case, so that an unknown id takes as long as a wrong secret.
        expected = record.digest if record else _NO_DIGEST
        same = hmac.compare_digest(self._digest.of(api_key), expected)
        if record is None or not same or self._has_ended(record):
            raise InvalidApiKeyError
        return Caller(merchant_id=record.merchant_id, key_id=match[1], scopes=record.scopes)

    def _has_ended(self, record: KeyRecord) -> bool:
        expired = record.expire_time is not None and record.expire_time <= self._now()
        return record.is_ended or expired

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
