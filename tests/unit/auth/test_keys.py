"""API keys: one answer for everything that is no valid key, and a bounded memory."""

from datetime import timedelta

import pytest

from pkg.errors import InvalidApiKeyError, MissingApiKeyError
from pkg.grpc.auth import (
    CACHE_ENTRIES_MAX,
    CACHE_SECONDS,
    Authenticator,
    Caller,
    KeyDigest,
    new_api_key,
)
from pkg.grpc.scopes import FULL_ACCESS
from pkg.secret import Secret
from tests.builders import NOW
from tests.unit.auth.keys import DIGEST, Keys, Watch, add_key, record


@pytest.fixture
def authenticator(keys: Keys, watch: Watch) -> Authenticator:
    """An authenticator on both."""
    return Authenticator(keys, DIGEST, monotonic=watch, now=lambda: NOW)


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


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", add_key(Keys())],
    ids=["nothing", "a scheme", "a scheme and a space", "a key of no scheme"],  # a key is random
)
async def test_where_no_key_is_the_error_says_so(authenticator: Authenticator, header: str) -> None:
    """As it tells nothing about keys; what stands where the scheme should be is no key either."""
    with pytest.raises(MissingApiKeyError) as refused:
        await authenticator.caller_of(header)
    assert str(refused.value) == "There is no API key: send it as `authorization: Bearer sk_…`."


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
