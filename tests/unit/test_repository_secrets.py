"""No committed file holds a secret: keys, tokens, or anything as random as one."""

import math
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.committed import committed
from tools.stack.settings import REPOSITORY

_PART = r"[^\s/:@'\"{}$]"
_NONE = "(?:password|swordfish)"  # what a document and a test call a password
PATTERNS = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an API key of ours": re.compile(r"\bsk_[0-9a-z]{16}_[0-9a-f]{64}\b"),
    "a key of a payment provider": re.compile(r"\b[sr]k_(?:live|test)_[0-9A-Za-z]{10,}"),
    "a signing secret": re.compile(r"\bwhsec_[A-Za-z0-9+/]{24,}"),
    "a cloud's access key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "a token of a code host": re.compile(r"\b(?:gh[pousr]_\w{36}|glpat-[\w-]{20}|npm_\w{36})"),
    "a token of a vault": re.compile(r"\b(?:hvs|s)\.[A-Za-z0-9_-]{24,}"),
    "a JSON web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "a password in an address": re.compile(rf"\b[a-z]+://{_PART}+:(?!{_NONE}@){_PART}{{8,}}@"),
    "32 random bytes in hexadecimal": re.compile(r"(?<![0-9a-fA-F])[0-9a-fA-F]{64,}"),
    "32 random bytes in base64": re.compile(r"(?<![\w+/])[A-Za-z0-9+/]{43}=(?![\w=])"),
}
# Below this many bits a character a text is a pattern, as `5e5e5e…` is, and not drawn by chance.
# Of a million texts of 64 random hexadecimal digits none had so little.
RANDOM_BITS = 3.1

# What is random and no secret; each with its reason.
ALLOWED_FILES = {
    # Hashes of packages, so that nobody can swap them.
    "requirements.lock",
    "requirements-local.lock",
    "requirements-dev.lock",
    "requirements-bench.lock",
    "requirements-ha.lock",
}


def looks_random(text: str) -> bool:
    """Tell whether the characters are as evenly spread as chance spreads them."""
    counts = Counter(text.lower())
    shares = [count / len(text) for count in counts.values()]
    return -sum(share * math.log2(share) for share in shares) > RANDOM_BITS


def suspicions(text: str) -> Iterator[str]:
    """Yield what looks like a secret, by line, without repeating it."""
    for number, line in enumerate(text.splitlines(), start=1):
        for name, pattern in PATTERNS.items():
            # What has a form of its own is judged by what is random in it.
            found = [match[0].rpartition("_")[2] for match in pattern.finditer(line)]
            if any("PRIVATE KEY" in one or looks_random(one) for one in found):
                yield f"line {number}: {name}"


def test_no_file_holds_a_secret() -> None:
    """Every file is looked at, but for the lock files, which are full of hashes."""
    files = committed()
    assert set(files) >= ALLOWED_FILES
    found = {
        name: suspected
        for name in files
        if name not in ALLOWED_FILES
        and (
            suspected := list(
                suspicions((REPOSITORY / name).read_bytes().decode("utf-8", errors="replace"))
            )
        )
    }
    assert not found


HEX = "8f3a61c2d97e04b5a1586c3d2e9f7041" + "b6c85d0e3f9a27146d8c5b0e97f2a3d4"
PLANTED = [
    "-----BEGIN RSA " + "PRIVATE KEY-----",
    "-----BEGIN " + "PRIVATE KEY-----",
    f"PAYGATE_API_KEY=sk_0123456789abcdef_{HEX}",
    f"key = '{HEX}'",
    f"key: {HEX.upper()}",
    "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc",
    "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "AKIA" + "IOSFODNN7EXBMPLE",
    "ghp_" + "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx",
    "hvs." + "CAESIJlqF0Zr1kX9vB3nM7tQwYpLs2Ud",
    "postgresql://payments:" + "Xk29vQpLm3ZrT8@db.internal/payments",
    "secret: " + "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ" + "q83vEjRWeJA=",
]


@pytest.mark.parametrize("line", PLANTED, ids=range(len(PLANTED)))
def test_a_secret_is_seen(line: str) -> None:
    """Each kind is seen wherever it stands, and is not repeated."""
    (found, *_) = suspicions(f"first line\n  {line}  # comment\n")
    assert found.startswith("line 2: ")
    assert line not in found


@pytest.mark.parametrize(
    "line",
    [
        *("5e" * 32, "0" * 64, "sk_<id>_<secret>", f"sk_{'0' * 16}_{'0' * 64}", "whsec_…"),
        *(
            "postgresql://payments@/payments?host=/run",
            "https://example.com/a:b@c",
            "pay_01h455vb4",
        ),
        *("postgresql://user:$PASSWORD@host/database", "https://user:password@example.com/"),
    ],
)
def test_what_only_looks_like_one_is_let_pass(line: str) -> None:
    """Patterns, placeholders and ids are no secrets."""
    assert list(suspicions(line)) == []
