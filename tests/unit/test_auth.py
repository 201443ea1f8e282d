"""API keys: one answer for everything that is no valid key, and a bounded memory."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from pkg.errors import (
    ApiError,
    DependencyUnavailableError,
    InvalidApiKeyError,
    MissingApiKeyError,
)
from pkg.grpc.auth import (
    CACHE_ENTRIES_MAX,
    CACHE_SECONDS,
    Authenticator,
    Caller,
    KeyDigest,
    KeyRecord,
    new_api_key,
)
from pkg.grpc.limits import Buckets, CallerLimits, Rate
from pkg.grpc.scopes import FULL_ACCESS
from pkg.secret import Secret
from tests.builders import NOW

DIGEST = KeyDigest(Secret("ab" * 32))


@dataclass
class Keys:
    """Keys in memory, and how often they were asked for."""

    records: dict[str, KeyRecord] = field(default_factory=dict)
    asked: int = 0
    is_away: bool = False

    async def find_key(self, key_id: str) -> KeyRecord | None:
        """Return the key with that id, in a later turn of the loop, as a database does."""
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise DependencyUnavailableError
        return self.records.get(key_id)


@dataclass
class Watch:
    """A monotonic clock that tests turn."""

    seconds: float = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.seconds


@pytest.fixture
def keys() -> Keys:
    """No keys yet."""
    return Keys()


@pytest.fixture
def watch() -> Watch:
    """A clock at zero."""
    return Watch()


@pytest.fixture
def authenticator(keys: Keys, watch: Watch) -> Authenticator:
    """An authenticator on both."""
    return Authenticator(keys, DIGEST, monotonic=watch, now=lambda: NOW)


def add_key(keys: Keys, **fields: Any) -> str:
    """Make a key of merchant `mer_a`."""
    key_id, key = new_api_key()
    keys.records[key_id] = record(key, **fields)
    return key


def record(key: str, **fields: Any) -> KeyRecord:
    """Return what is stored of a key of merchant `mer_a`."""
    return KeyRecord(
        merchant_id="mer_a", digest=DIGEST.of(key), **{"scopes": FULL_ACCESS, **fields}
    )


async def test_a_key_tells_its_merchant(keys: Keys, authenticator: Authenticator) -> None:
    """`Bearer <key>` of a live key is its merchant's; the scheme's case does not matter."""
    key = add_key(keys)
    (key_id,) = keys.records
    caller = Caller(merchant_id="mer_a", key_id=key_id, scopes=FULL_ACCESS)
    assert await authenticator.caller_of(f"Bearer {key}") == caller
    assert await authenticator.caller_of(f"bearer {key}") == caller
    assert keys.asked == 1


async def test_what_is_no_valid_key(keys: Keys, authenticator: Authenticator) -> None:
    """Malformed, unknown, wrong, revoked and expired keys are refused alike."""
    key = add_key(keys)
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    said = set()
    for header in (
        f"Basic {key}",
        f"Bearer {key},Bearer {key}",
        f"Bearer {key} ",
        f"Bearer {key}\n",
        f"Bearer {wrong}",
        f"Bearer {new_api_key()[1]}",
        f"Bearer {add_key(keys, is_ended=True)}",
        f"Bearer {add_key(keys, expire_time=NOW)}",
    ):
        with pytest.raises(InvalidApiKeyError) as refused:
            await authenticator.caller_of(header)
        said.add((str(refused.value), *refused.value.metadata))
    assert len(said) == 1


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", add_key(Keys())])
async def test_where_no_key_is_the_error_says_so(authenticator: Authenticator, header: str) -> None:
    """As it tells nothing about keys; what stands where the scheme should be is no key either."""
    with pytest.raises(MissingApiKeyError) as refused:
        await authenticator.caller_of(header)
    assert str(refused.value) == "There is no API key: send it as `authorization: Bearer <key>`."


async def test_a_revoked_key_stops_within_the_cache_time(
    keys: Keys, authenticator: Authenticator, watch: Watch
) -> None:
    """A record is remembered for less than five seconds, and asked for again after that."""
    key = add_key(keys)
    await authenticator.caller_of(f"Bearer {key}")
    (key_id,) = keys.records
    keys.records[key_id] = record(key, is_ended=True)
    assert CACHE_SECONDS < 5
    watch.seconds = CACHE_SECONDS - 0.001
    await authenticator.caller_of(f"Bearer {key}")
    watch.seconds = CACHE_SECONDS
    with pytest.raises(InvalidApiKeyError):
        await authenticator.caller_of(f"Bearer {key}")


async def test_a_key_ends_at_its_time(keys: Keys) -> None:
    """A record that is remembered does not keep a key alive beyond its end."""
    now = NOW
    authenticator = Authenticator(keys, DIGEST, now=lambda: now)
    key = add_key(keys, expire_time=NOW + timedelta(seconds=1))
    await authenticator.caller_of(f"Bearer {key}")
    now += timedelta(seconds=1)
    with pytest.raises(InvalidApiKeyError):
        await authenticator.caller_of(f"Bearer {key}")
    assert keys.asked == 1


class CountedDigest(KeyDigest):
    """Counts the digests that are made, which is what a check costs."""

    made = 0

    def of(self, api_key: str) -> bytes:
        """Return the digest of a whole key."""
        self.made += 1
        return super().of(api_key)


@pytest.mark.parametrize("kind", ["unknown", "wrong", "ended"])
async def test_every_key_that_looks_like_one_costs_the_same(keys: Keys, kind: str) -> None:
    """One look for the id and one digest, whether the id is known or not."""
    known = add_key(keys)
    wrong = known[:-1] + ("0" if known[-1] != "0" else "1")
    ended = add_key(keys, is_ended=True)
    key = {"unknown": new_api_key()[1], "wrong": wrong, "ended": ended}[kind]
    digest = CountedDigest(Secret("ab" * 32))
    with pytest.raises(InvalidApiKeyError):
        await Authenticator(keys, digest).caller_of(f"Bearer {key}")
    assert (keys.asked, digest.made) == (1, 1)


async def test_a_key_that_is_shown_again_costs_no_digest(keys: Keys, watch: Watch) -> None:
    """While its record is remembered it is known by a hash of the header, and only the same one."""
    digest = CountedDigest(Secret("ab" * 32))
    authenticator = Authenticator(keys, digest, monotonic=watch, now=lambda: NOW)
    key = add_key(keys)
    for _ in range(3):
        await authenticator.caller_of(f"Bearer {key}")
    assert digest.made == 1
    with pytest.raises(InvalidApiKeyError):
        await authenticator.caller_of(f"Bearer {key}0")
    watch.seconds = CACHE_SECONDS
    await authenticator.caller_of(f"Bearer {key}")
    assert (keys.asked, digest.made) == (2, 2)
    assert key.encode() not in b"".join(authenticator._shown)


async def test_what_was_shown_is_remembered_within_bounds(keys: Keys) -> None:
    """However many keys are shown, the oldest make room."""
    authenticator = Authenticator(keys, DIGEST, now=lambda: NOW)
    for _ in range(CACHE_ENTRIES_MAX + 10):
        await authenticator.caller_of(f"Bearer {add_key(keys)}")
    assert len(authenticator._shown) == CACHE_ENTRIES_MAX


def test_keys_are_random_and_their_digest_is_keyed() -> None:
    """No two keys are alike, and another pepper makes another digest."""
    assert len({new_api_key() for _ in range(100)}) == 100
    _, key = new_api_key()
    assert DIGEST.of(key) != KeyDigest(Secret("cd" * 32)).of(key)
    assert key.encode() not in DIGEST.of(key)


ADDRESS = "192.0.2.7"


@dataclass
class Gatekeeper:
    """An authenticator whose callers may fail three times, and then once a second."""

    keys: Keys
    watch: Watch

    def __post_init__(self) -> None:
        failures = Buckets(Rate(per_second=1, burst=3), monotonic=self.watch)
        calls = Buckets(Rate(per_second=1, burst=5), monotonic=self.watch)
        limits = CallerLimits(calls=calls, failures=failures)
        self._authenticator = Authenticator(
            self.keys, DIGEST, limits=limits, monotonic=self.watch, now=lambda: NOW
        )

    async def said(self, key: str, address: str = ADDRESS) -> str:
        """Return the merchant, or the reason of the refusal."""
        try:
            caller = await self._authenticator.caller_of(f"Bearer {key}", client=lambda: address)
        except ApiError as refused:
            return refused.reason
        return caller.merchant_id

    async def exhausted(self) -> None:
        """Fail until the address may not fail any more."""
        assert [await self.said("nonsense") for _ in range(4)] == FAILED_THREE_TIMES


FAILED_THREE_TIMES = [*["INVALID_API_KEY"] * 3, "RATE_LIMITED"]


@pytest.fixture
def gatekeeper(keys: Keys, watch: Watch) -> Gatekeeper:
    """A strict authenticator."""
    return Gatekeeper(keys, watch)


@pytest.mark.parametrize("kind", ["malformed", "unknown", "wrong", "revoked"])
async def test_every_failure_counts(kind: str, keys: Keys, gatekeeper: Gatekeeper) -> None:
    """Whatever is wrong with a key, the address has failed; another address has not."""
    good = add_key(keys)

    def bad() -> str:
        if kind == "unknown":
            return new_api_key()[1]
        if kind == "wrong":
            return good[:-1] + ("0" if good[-1] != "0" else "1")
        return add_key(keys, is_ended=True) if kind == "revoked" else "nonsense"

    assert [await gatekeeper.said(bad()) for _ in range(4)] == FAILED_THREE_TIMES
    assert await gatekeeper.said(bad(), address="192.0.2.8") == "INVALID_API_KEY"


async def test_an_address_over_its_limit_asks_the_database_nothing(
    keys: Keys, watch: Watch, gatekeeper: Gatekeeper
) -> None:
    """Neither for unknown keys nor for good ones that nobody has shown yet; later it may again."""
    key = add_key(keys)
    await gatekeeper.exhausted()
    assert await gatekeeper.said(new_api_key()[1]) == "RATE_LIMITED"
    assert await gatekeeper.said(key) == "RATE_LIMITED"
    assert keys.asked == 0
    watch.seconds += 1
    assert await gatekeeper.said(key) == "mer_a"


async def test_a_known_key_passes_where_others_have_failed(
    keys: Keys, watch: Watch, gatekeeper: Gatekeeper
) -> None:
    """Also when it has to be looked up again; but only whoever holds the whole key."""
    key = add_key(keys)
    assert await gatekeeper.said(key) == "mer_a"
    await gatekeeper.exhausted()
    assert await gatekeeper.said(key) == "mer_a"
    watch.seconds += CACHE_SECONDS
    await gatekeeper.exhausted()
    asked = keys.asked
    assert await gatekeeper.said(key[:-4] + "0000") == "RATE_LIMITED"
    assert keys.asked == asked
    assert await gatekeeper.said(key) == "mer_a"
    assert keys.asked == asked + 1


async def test_success_is_no_failure(keys: Keys, gatekeeper: Gatekeeper) -> None:
    """Many good keys behind one address are looked up, and leave it all its failures."""
    for _ in range(10):
        assert await gatekeeper.said(add_key(keys)) == "mer_a"
    await gatekeeper.exhausted()


async def test_calls_at_once_are_looked_up_once(keys: Keys, gatekeeper: Gatekeeper) -> None:
    """A worker that starts under load asks once for a key, and takes nobody for a guesser."""
    key = add_key(keys)
    assert await asyncio.gather(*(gatekeeper.said(key) for _ in range(5))) == ["mer_a"] * 5
    assert keys.asked == 1


async def test_guesses_at_once_are_bounded(keys: Keys, gatekeeper: Gatekeeper) -> None:
    """A hundred guesses in one moment cause three look-ups, not a hundred."""
    guesses = [new_api_key()[1] for _ in range(100)]
    said = await asyncio.gather(*map(gatekeeper.said, guesses))
    assert said.count("INVALID_API_KEY") == keys.asked == 3
    assert said.count("RATE_LIMITED") == 97


async def test_a_database_that_is_away_is_no_failure(keys: Keys, gatekeeper: Gatekeeper) -> None:
    """Nobody is locked out because the database could not be asked."""
    keys.is_away = True
    for _ in range(5):
        assert await gatekeeper.said(new_api_key()[1]) == "DEPENDENCY_UNAVAILABLE"
    keys.is_away = False
    assert await gatekeeper.said(add_key(keys)) == "mer_a"


async def test_a_key_has_a_rate(keys: Keys, watch: Watch, gatekeeper: Gatekeeper) -> None:
    """Each key has its own, from whatever address it calls."""
    key, other = add_key(keys), add_key(keys)
    said = [await gatekeeper.said(key, address=f"192.0.2.{number}") for number in range(7)]
    assert said == [*["mer_a"] * 5, *["RATE_LIMITED"] * 2]
    assert await gatekeeper.said(other) == "mer_a"
    watch.seconds += 1
    assert await gatekeeper.said(key) == "mer_a"


async def test_known_keys_survive_a_flood_of_unknown_ones(keys: Keys, watch: Watch) -> None:
    """The memory is bounded, and what was looked up the longest ago goes first."""
    authenticator = Authenticator(keys, DIGEST, monotonic=watch)
    key = add_key(keys)
    for _ in range(CACHE_ENTRIES_MAX + 10):
        with pytest.raises(InvalidApiKeyError):
            await authenticator.caller_of(f"Bearer {new_api_key()[1]}")
    await authenticator.caller_of(f"Bearer {key}")
    asked = keys.asked
    for _ in range(CACHE_ENTRIES_MAX - 1):
        with pytest.raises(InvalidApiKeyError):
            await authenticator.caller_of(f"Bearer {new_api_key()[1]}")
    await authenticator.caller_of(f"Bearer {key}")
    assert keys.asked == asked + CACHE_ENTRIES_MAX - 1
    assert len(authenticator._cache) == CACHE_ENTRIES_MAX
