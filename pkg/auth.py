"""Who calls: the merchant of an API key."""

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from pkg.errors import InvalidApiKeyError
from pkg.limits import CallerLimits, client_address
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


def _nowhere() -> str:
    return ""


class Authenticator:
    """Tells the merchant by the key. Missing, unknown, wrong and revoked keys look alike.

    A record is kept in memory for `CACHE_SECONDS`, so that not every call asks the database. Who
    shows a key that was good when it was last looked up is asked no more, however often others
    failed at the same address; anybody else is looked up only while the address may fail.

    Args:
        keys: Where the digests are.
        digest: Makes them.
        limits: What a key may ask for, and how often an address may fail.
        monotonic: Tells the time, in seconds.
    """

    def __init__(
        self,
        keys: KeyStore,
        digest: KeyDigest,
        *,
        limits: CallerLimits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._digest = digest
        self._limits = limits or CallerLimits()
        self._monotonic = monotonic
        self._cache: OrderedDict[str, tuple[float, KeyRecord | None]] = OrderedDict()
        self._under_way: dict[str, asyncio.Task[KeyRecord | None]] = {}

    async def caller(self, context: Context) -> str:
        """Return the id of the merchant who makes this call.

        Raises:
            InvalidApiKeyError: The call carries no valid key, or several.
            RateLimitedError: The key made too many calls, or the address failed too often.
            DependencyUnavailableError: The database cannot be asked.
        """
        values = metadata_values(context, "authorization")
        client = partial(client_address, context)
        return await self.merchant_of(values[0] if len(values) == 1 else "", client=client)

    async def merchant_of(self, authorization: str, *, client: Callable[[], str] = _nowhere) -> str:
        """Return the id of the merchant whose key `Bearer <key>` holds.

        Args:
            authorization: What the call carries.
            client: Tells the address that the call comes from; asked only where it matters.

        Raises:
            InvalidApiKeyError: It holds none.
            RateLimitedError: The key made too many calls, or the address failed too often.
            DependencyUnavailableError: The database cannot be asked.
        """
        scheme, _, api_key = authorization.partition(" ")
        match = _KEY.match(api_key) if scheme.lower() == "bearer" else None
        if match is None:
            self._limits.may_fail(client())
            raise InvalidApiKeyError
        key_id, digest = match[1], self._digest.of(api_key)
        until, record = self._cache.get(key_id, (0.0, None))
        is_counted = False
        if self._monotonic() >= until:
            task = self._under_way.get(key_id)
            if task is None:
                is_counted = not _is_valid(record, digest)
                address = client() if is_counted else None
                task = self._begin_look_up(key_id, digest, address)
            record = await asyncio.shield(task)
        if record is None or not _is_valid(record, digest):
            if not is_counted:
                self._limits.may_fail(client())
            raise InvalidApiKeyError
        self._limits.admit(key_id)
        return record.merchant_id

    def _begin_look_up(
        self, key_id: str, digest: bytes, address: str | None
    ) -> asyncio.Task[KeyRecord | None]:
        """Begin to ask the database, once for all who wait and even if they go away.

        With an address the look-up counts as a failure until the key turns out to be valid.
        """
        if address is not None:
            self._limits.may_fail(address)
        task = asyncio.create_task(self._look_up(key_id, digest, address))
        self._under_way[key_id] = task
        task.add_done_callback(partial(self._end_look_up, key_id))
        return task

    def _end_look_up(self, key_id: str, task: asyncio.Task[KeyRecord | None]) -> None:
        del self._under_way[key_id]
        if not task.cancelled():
            task.exception()  # marks it as seen: whoever still waits has it

    async def _look_up(self, key_id: str, digest: bytes, address: str | None) -> KeyRecord | None:
        now, is_failure = self._monotonic(), False
        try:
            record = await self._keys.find_key(key_id)
            is_failure = not _is_valid(record, digest)
        finally:
            # A database that is away is no failure of the caller's.
            if address is not None and not is_failure:
                self._limits.did_not_fail(address)
        self._cache.pop(key_id, None)
        if len(self._cache) >= CACHE_ENTRIES_MAX:
            self._cache.popitem(last=False)  # the one looked up the longest ago
        self._cache[key_id] = (now + CACHE_SECONDS, record)
        return record


def _is_valid(record: KeyRecord | None, digest: bytes) -> bool:
    # Compared in any case, so that an unknown id takes as long as a wrong secret.
    same = hmac.compare_digest(digest, record.digest if record else _NO_DIGEST)
    return same and record is not None and record.revoke_time is None
