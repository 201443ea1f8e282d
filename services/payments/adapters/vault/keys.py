"""Data keys: what cards are encrypted under. Each belongs to one merchant and is stored wrapped.

Unwrapped they are kept in memory for a bounded time and number of uses, so that an authorization
does not have to ask whoever wraps them.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TypeVar

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pkg.errors import DependencyUnavailableError
from pkg.ids import new_id
from pkg.postgres.sql import Pool, statements, translated

SQL = statements(Path(__file__).parent / "sql")

NONCE_BYTES = 12
MERCHANTS_MAX = 10_000

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class KeyVersion:
    """The newest version of the key that wraps: what wrapped texts begin with, and its age."""

    number: int
    prefix: str
    create_time: datetime


class KeyWrapper(Protocol):
    """Who wraps data keys. Every method may raise DependencyUnavailableError."""

    async def make(self, merchant_id: str) -> tuple[bytes, str]:
        """Return a fresh key of 256 bits, and the same wrapped for that merchant."""

    async def unwrap(self, merchant_id: str, wrapped: str) -> bytes:
        """Return the key. One wrapped for another merchant, or by a refused version, is not."""

    async def rewrap(self, keys: list[tuple[str, str]]) -> list[str]:
        """Return keys, given as (merchant id, wrapped), wrapped by the newest version."""

    async def rotate(self) -> KeyVersion:
        """Make a new version, which wraps from now on; older ones still unwrap."""

    async def newest(self) -> KeyVersion:
        """Return the newest version."""

    async def refuse_older(self, version: int) -> None:
        """Refuse to unwrap what versions before this one have wrapped."""


@dataclass(slots=True)
class SealingKey:
    """A data key that encrypts, in the one process that has made it."""

    id: str
    cipher: AESGCM
    expires: float
    uses: int = 0

    def next_nonce(self) -> bytes:
        """Return a nonce that this key was never used with.

        Counted, not drawn (SP 800-38D, section 8.2.1): no other process seals with this key.
        """
        self.uses += 1
        return self.uses.to_bytes(NONCE_BYTES, "big")


class DataKeys:
    """The data keys that this process has in memory.

    Args:
        pool: Of the vault's role.
        wrapper: Wraps and unwraps them.
        lifetime_seconds: How long one stays in memory.
        uses_max: How many cards one encrypts.
    """

    def __init__(
        self,
        pool: Pool,
        wrapper: KeyWrapper,
        *,
        lifetime_seconds: float,
        uses_max: int,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._wrapper = wrapper
        self._lifetime_seconds = lifetime_seconds
        self._uses_max = uses_max
        self._monotonic = monotonic
        self._sealing: OrderedDict[str, SealingKey] = OrderedDict()
        self._opened: OrderedDict[tuple[str, str], tuple[float, AESGCM]] = OrderedDict()
        self._making: dict[str, asyncio.Task[SealingKey]] = {}
        self._drops = 0

    async def to_seal(self, merchant_id: str) -> SealingKey:
        """Return a key that may encrypt one more card, if it does so before anybody awaits.

        Raises:
            DependencyUnavailableError: None is in memory, and none can be made.
        """
        while not (key := self._usable(merchant_id)):
            # One for all who wait: each key costs a call and a row.
            making = self._making.get(merchant_id)
            if making is None:
                making = asyncio.create_task(self._make(merchant_id))
                self._making[merchant_id] = making
                making.add_done_callback(lambda done: self._made(merchant_id, done))
            await asyncio.shield(making)
        return key

    async def to_open(self, merchant_id: str, key_id: str, wrapped: str) -> AESGCM:
        """Return the cipher of a stored key.

        Raises:
            DependencyUnavailableError: It is not in memory, and can't be unwrapped now.
        """
        place = (merchant_id, key_id)
        expires, cipher = self._opened.get(place, (0.0, None))
        if cipher is None or self._monotonic() >= expires:
            drops = self._drops
            cipher = AESGCM(await self._wrapper.unwrap(merchant_id, wrapped))
            self._check_not_dropped(drops)
            _keep(self._opened, place, (self._monotonic() + self._lifetime_seconds, cipher))
        return cipher

    def drop(self) -> None:
        """Forget all keys: whoever wraps them has been sealed."""
        self._drops += 1
        self._sealing.clear()
        self._opened.clear()

    def purge(self) -> None:
        """Forget the keys whose time is over, also those that nobody asks for any more."""
        now = self._monotonic()
        for merchant_id in [m for m, key in self._sealing.items() if now >= key.expires]:
            del self._sealing[merchant_id]
        for place in [place for place, (expires, _) in self._opened.items() if now >= expires]:
            del self._opened[place]

    def _usable(self, merchant_id: str) -> SealingKey | None:
        key = self._sealing.get(merchant_id)
        if key and key.uses < self._uses_max and self._monotonic() < key.expires:
            return key
        return None

    async def _make(self, merchant_id: str) -> SealingKey:
        drops, key_id = self._drops, new_id("dek", datetime.now(UTC))
        secret, wrapped = await self._wrapper.make(merchant_id)
        with translated():
            await self._pool.execute(SQL["add_data_key"], merchant_id, key_id, wrapped)
        self._check_not_dropped(drops)
        key = SealingKey(key_id, AESGCM(secret), self._monotonic() + self._lifetime_seconds)
        _keep(self._sealing, merchant_id, key)
        return key

    def _made(self, merchant_id: str, making: asyncio.Task[SealingKey]) -> None:
        del self._making[merchant_id]
        if not making.cancelled():
            making.exception()  # marks it as seen: whoever still waits has it

    def _check_not_dropped(self, drops: int) -> None:
        if drops != self._drops:
            raise DependencyUnavailableError


def _keep(cache: OrderedDict[K, V], place: K, value: V) -> None:
    cache[place] = value
    cache.move_to_end(place)
    if len(cache) > MERCHANTS_MAX:
        cache.popitem(last=False)
