"""API keys: one answer for everything that is no valid key, and a bounded memory."""

from dataclasses import dataclass, field

import pytest

from pkg.auth import CACHE_SECONDS, Authenticator, KeyDigest, KeyRecord, new_api_key
from pkg.errors import InvalidApiKeyError
from pkg.secret import Secret
from tests.builders import NOW

DIGEST = KeyDigest(Secret("ab" * 32))


@dataclass
class Keys:
    """Keys in memory, and how often they were asked for."""

    records: dict[str, KeyRecord] = field(default_factory=dict)
    asked: int = 0

    async def find_key(self, key_id: str) -> KeyRecord | None:
        """Return the key with that id."""
        self.asked += 1
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
    return Authenticator(keys, DIGEST, monotonic=watch)


def add_key(keys: Keys, *, revoked: bool = False) -> str:
    """Make a key of merchant `mer_a`."""
    key_id, key = new_api_key()
    keys.records[key_id] = KeyRecord("mer_a", DIGEST.of(key), NOW if revoked else None)
    return key


async def test_a_key_tells_its_merchant(keys: Keys, authenticator: Authenticator) -> None:
    """`Bearer <key>` of a live key is its merchant's; the scheme's case does not matter."""
    key = add_key(keys)
    assert await authenticator.merchant_of(f"Bearer {key}") == "mer_a"
    assert await authenticator.merchant_of(f"bearer {key}") == "mer_a"
    assert keys.asked == 1


async def test_what_is_no_valid_key(keys: Keys, authenticator: Authenticator) -> None:
    """Missing, malformed, unknown, wrong and revoked keys are refused alike."""
    key = add_key(keys)
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")
    said = set()
    for header in (
        "",
        key,
        "Bearer ",
        f"Basic {key}",
        f"Bearer {key} ",
        f"Bearer {key}\n",
        f"Bearer {wrong}",
        f"Bearer {new_api_key()[1]}",
        f"Bearer {add_key(keys, revoked=True)}",
    ):
        with pytest.raises(InvalidApiKeyError) as refused:
            await authenticator.merchant_of(header)
        said.add((str(refused.value), *refused.value.metadata))
    assert len(said) == 1


async def test_a_revoked_key_stops_within_the_cache_time(
    keys: Keys, authenticator: Authenticator, watch: Watch
) -> None:
    """A record is remembered for five seconds, and asked for again after that."""
    key = add_key(keys)
    await authenticator.merchant_of(f"Bearer {key}")
    (key_id,) = keys.records
    keys.records[key_id] = KeyRecord("mer_a", DIGEST.of(key), NOW)
    watch.seconds = CACHE_SECONDS - 0.001
    await authenticator.merchant_of(f"Bearer {key}")
    watch.seconds = CACHE_SECONDS
    with pytest.raises(InvalidApiKeyError):
        await authenticator.merchant_of(f"Bearer {key}")


def test_keys_are_random_and_their_digest_is_keyed() -> None:
    """No two keys are alike, and another pepper makes another digest."""
    assert len({new_api_key() for _ in range(100)}) == 100
    _, key = new_api_key()
    assert DIGEST.of(key) != KeyDigest(Secret("cd" * 32)).of(key)
    assert key.encode() not in DIGEST.of(key)
