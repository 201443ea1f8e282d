"""Which keys production takes: those drawn by chance, and none that is written down."""

import re
import secrets
from pathlib import Path

from pkg.process.production import KEY_BYTES_DIFFERENT_MIN, is_guessable, is_written
from tests.committed import committed
from tools.stack.settings import REPOSITORY


def test_random_keys_are_never_guessable() -> None:
    """The rule refuses patterns, not luck."""
    for _ in range(20_000):
        key = secrets.token_bytes(32)
        assert not is_guessable(key, different_min=KEY_BYTES_DIFFERENT_MIN)
        assert not is_written(key.hex())


def test_every_key_that_is_written_down_is_refused() -> None:
    """No key of the repository's tests and documents would do in production."""
    places = ("tests/", "docs/", "deploy/", "README.md", "docker-compose.yml")
    names = [name for name in committed() if name.startswith(places)]
    found = set()
    for name in names:
        text = Path(REPOSITORY, name).read_text(errors="replace")
        found |= set(re.findall(r"(?:KEY|PEPPER)\b.{0,20}?\b([0-9a-f]{64})\b", text))
        found |= {pair * 32 for pair in re.findall(r"\"([0-9a-f]{2})\" \* 32", text)}
    assert len(found) > 5
    for key in found:
        assert is_guessable(bytes.fromhex(key), different_min=KEY_BYTES_DIFFERENT_MIN), key
