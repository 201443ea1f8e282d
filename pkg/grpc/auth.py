"""Who calls: the merchant of an API key, and whether the key is for this call."""

import asyncio
import hashlib
import hmac
import re
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from pkg.errors import InsufficientScopeError, InvalidApiKeyError, MissingApiKeyError
from pkg.grpc.guard import (
    Context,
    called_method,
    client_address,
    current_place,
    metadata_values,
    note_caller,
)
from pkg.grpc.limits import CallerLimits
from pkg.grpc.scopes import Scopes, allowed
from pkg.secret import KeyedHash, Secret
from pkg.values import value

# A revoked key stops working in every worker within 5 s: this, and time for the call it comes with.
CACHE_SECONDS = 4.0
CACHE_ENTRIES_MAX = 10_000

_KEY = re.compile(r"sk_([0-9a-z]{16})_[0-9a-f]{64}\Z")
_KEY_ID_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_NO_DIGEST = bytes(32)


@value(frozen=True, slots=True, kw_only=True)
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


@value(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whose call it is, by which of the merchant's keys, and what that key may be used for."""

    merchant_id: str
    key_id: str
    scopes: Scopes


@value(frozen=True, slots=True)
class _Shown:
    """A caller whose key was good, until when (by the monotonic clock), and when the key ends."""

    caller: Caller
    until: float
    expire_time: datetime | None


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
        self._hash = KeyedHash(bytes.fromhex(pepper.reveal()))

    def of(self, api_key: str) -> bytes:
        """Return the digest of a whole key."""
        return self._hash.of(api_key.encode())


def new_api_key() -> tuple[str, str]:
    """Return a fresh key's id and the key: `sk_<id>_<256 bits>`."""
    key_id = "".join(secrets.choice(_KEY_ID_ALPHABET) for _ in range(16))
    return key_id, f"sk_{key_id}_{secrets.token_hex(32)}"


# Until when it may be believed, by the monotonic clock, and what is stored.
_Found = tuple[float, KeyRecord | None]


def _nowhere() -> str:
    return ""


class Authenticator:
    """Tells the caller by the key. Unknown, wrong and ended keys look alike.

    A record is kept in memory for `CACHE_SECONDS`, so that not every call asks the database. Who
    shows a key that was good when it was last looked up is asked no more, however often others
    failed at the same address; anybody else is looked up only while the address may fail.

    Args:
        keys: Where the digests are.
        digest: Makes them.
        limits: What a key may ask for, and how often an address may fail.
        monotonic: Tells the time, in seconds.
        now: Tells the real time, by which keys expire.

    Attributes:
        limits: As given; without limits none.
    """

    def __init__(
        self,
        keys: KeyStore,
        digest: KeyDigest,
        *,
        limits: CallerLimits | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keys = keys
        self._digest = digest
        self.limits = limits or CallerLimits()
        self._monotonic = monotonic
        self._now = now
        self._cache: OrderedDict[str, _Found] = OrderedDict()
        # What was shown with a good key, by its own keyed hash: no key stays in memory.
        self._shown: OrderedDict[bytes, _Shown] = OrderedDict()
        self._hash_key = secrets.token_bytes(32)
        self._under_way: dict[str, asyncio.Task[_Found]] = {}

    async def merchant_id(self, context: Context) -> str:
        """Return the id of the merchant who makes this call; raises what `caller` does."""
        return (await self.caller(context)).merchant_id

    @asynccontextmanager
    async def reading(self, context: Context) -> AsyncIterator[str]:
        """Return the id of the merchant who makes this call, when it is their turn to read much.

        Raises:
            RateLimitedError: The merchant reads too much at once, or as `caller` says.
        """
        merchant_id = await self.merchant_id(context)
        async with self.limits.reading(merchant_id):
            yield merchant_id

    async def caller(self, context: Context) -> Caller:
        """Return who makes this call, by a key that is for it.

        Raises:
            InvalidApiKeyError: The call carries no valid key, or several.
            InsufficientScopeError: The key is valid, and not for this call.
            RateLimitedError: The key made too many calls, the merchant has too many under way, or
                the address failed too often.
            DependencyUnavailableError: The database cannot be asked.
        """
        values = metadata_values(context, "authorization")
        client = partial(client_address, context)
        caller = await self.caller_of(",".join(values), client=client)  # several are no key
        needed = allowed(called_method())
        if caller.scopes.isdisjoint(needed):
            raise InsufficientScopeError(any_of=", ".join(sorted(needed)))
        return caller

    async def caller_of(
        self, authorization: str, *, client: Callable[[], str] = _nowhere
    ) -> Caller:
        """Return whose key `Bearer <key>` holds.

        Args:
            authorization: What the call carries.
            client: Tells the address that the call comes from; asked only where it matters.

        Raises:
            InvalidApiKeyError: It holds none, or none that is valid.
            RateLimitedError: The key made too many calls, the merchant has too many under way, or
                the address failed too often.
            DependencyUnavailableError: The database cannot be asked.
        """
        caller = (await self._known(authorization, client)).caller
        note_caller(caller.merchant_id, caller.key_id)
        self.limits.admit(caller.key_id)
        self.limits.share(current_place(), caller.merchant_id)
        return caller

    async def recheck(self, context: Context) -> None:
        """Do nothing while the key of a call that stays open is good; it counts as no new call.

        Raises:
            InvalidApiKeyError: The key was revoked or has expired, or its merchant was disabled.
            DependencyUnavailableError: The database cannot be asked.
        """
        values = metadata_values(context, "authorization")
        await self._known(",".join(values), partial(client_address, context))

    async def _known(self, authorization: str, client: Callable[[], str]) -> _Shown:
        """Return what is known of a key that is good; raises as `caller_of` does."""
        place = hashlib.blake2b(authorization.encode(), key=self._hash_key, digest_size=16).digest()
        shown = self._shown.get(place)
        if shown is None or not self._is_good(shown):
            shown = self._shown[place] = await self._check(authorization, client)
            if len(self._shown) > CACHE_ENTRIES_MAX:
                self._shown.popitem(last=False)
        return shown

    def _is_good(self, shown: _Shown) -> bool:
        """Tell whether what was good when it was checked still is."""
        expires = shown.expire_time
        return self._monotonic() < shown.until and (expires is None or self._now() < expires)

    async def _check(self, authorization: str, client: Callable[[], str]) -> _Shown:
        """Look the key up, and compare what was shown with it."""
        scheme, _, api_key = authorization.partition(" ")
        match = _KEY.match(api_key) if scheme.lower() == "bearer" else None
        if match is None:
            # At once: how long this takes says no more than what a key looks like, which all know.
            self.limits.may_fail(client())
            raise InvalidApiKeyError if api_key else MissingApiKeyError
        key_id, digest = match[1], self._digest.of(api_key)
        until, record = self._cache.get(key_id, (0.0, None))
        is_counted = False
        if self._monotonic() >= until:
            # All who wait for it have no more than one merchant has, whoever they are.
            self.limits.share(current_place(), key_id)
            task = self._under_way.get(key_id)
            if task is None:
                is_counted = not self._is_valid(record, digest)
                address = client() if is_counted else None
                task = self._begin_look_up(key_id, digest, address)
            until, record = await asyncio.shield(task)
        if record is None or not self._is_valid(record, digest):
            if not is_counted:
                self.limits.may_fail(client())
            raise InvalidApiKeyError
        caller = Caller(merchant_id=record.merchant_id, key_id=key_id, scopes=record.scopes)
        return _Shown(caller, until, record.expire_time)

    def _is_valid(self, record: KeyRecord | None, digest: bytes) -> bool:
        # Compared in any case, so that an unknown id takes as long as a wrong secret.
        same = hmac.compare_digest(digest, record.digest if record else _NO_DIGEST)
        if record is None or not same or record.is_ended:
            return False
        return record.expire_time is None or self._now() < record.expire_time

    def _begin_look_up(
        self, key_id: str, digest: bytes, address: str | None
    ) -> asyncio.Task[_Found]:
        """Begin to ask the database, once for all who wait and even if they go away.

        With an address the look-up counts as a failure until the key turns out to be valid.
        """
        if address is not None:
            self.limits.may_fail(address)
        task = asyncio.create_task(self._look_up(key_id, digest, address))
        self._under_way[key_id] = task
        task.add_done_callback(partial(self._end_look_up, key_id))
        return task

    def _end_look_up(self, key_id: str, task: asyncio.Task[_Found]) -> None:
        del self._under_way[key_id]
        if not task.cancelled():
            task.exception()  # marks it as seen: whoever still waits has it

    async def _look_up(self, key_id: str, digest: bytes, address: str | None) -> _Found:
        now, is_failure = self._monotonic(), False
        try:
            record = await self._keys.find_key(key_id)
            is_failure = not self._is_valid(record, digest)
        finally:
            # A database that is away is no failure of the caller's.
            if address is not None and not is_failure:
                self.limits.did_not_fail(address)
        self._cache.pop(key_id, None)
        if len(self._cache) >= CACHE_ENTRIES_MAX:
            self._cache.popitem(last=False)  # the one looked up the longest ago
        found = self._cache[key_id] = (now + CACHE_SECONDS, record)
        return found
