"""Who guesses keys is stopped, and who holds one is not; a key has a rate."""

import asyncio
from dataclasses import dataclass

import pytest

from pkg.errors import ApiError
from pkg.grpc.auth import CACHE_SECONDS, Authenticator, new_api_key
from pkg.grpc.limits import Buckets, CallerLimits, Rate
from tests.builders import NOW
from tests.unit.auth.keys import DIGEST, Keys, Watch, add_key

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
