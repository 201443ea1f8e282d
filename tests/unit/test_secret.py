"""HMAC-SHA256 with a prepared key."""

import hmac

from hypothesis import given
from hypothesis import strategies as st

from pkg.secret import KeyedHash


@given(key=st.binary(max_size=200), messages=st.lists(st.binary(max_size=300), max_size=3))
def test_it_agrees_with_the_standard_library(key: bytes, messages: list[bytes]) -> None:
    """For keys of any length, and as often as it is asked."""
    prepared = KeyedHash(key)
    for message in messages:
        assert prepared.of(message) == hmac.digest(key, message, "sha256")
