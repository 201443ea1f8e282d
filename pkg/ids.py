"""TypeIDs: a prefix and a UUIDv7 in 26 characters, so that ids sort by the time they were made.

Follows TypeID 0.3 (base 32 after Crockford, lower case) over UUIDv7 (RFC 9562, section 5.7).
"""

import os
import re
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache

_EPOCH = datetime.fromtimestamp(0, UTC)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_POOLED = 256
_pool: "deque[bytes]" = deque()
os.register_at_fork(after_in_child=_pool.clear)  # or two processes would make the same ids
# 26 characters hold 130 bits: the first one carries only three of the 128.
_SUFFIX = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}\Z")


def new_id(prefix: str, now: datetime) -> str:
    """Return a fresh id such as `pay_01k…`, sorting by `now` to the millisecond."""
    return f"{prefix}_{_time(int(now.timestamp() * 1000))}{_rest(_random())}"


def lowest_id(prefix: str, now: datetime) -> str:
    """Return the id that sorts before every id made in the millisecond of `now` or later."""
    # Ids begin with the year 1970.
    return f"{prefix}_{_time(int(max(now, _EPOCH).timestamp() * 1000))}{_rest(bytes(10))}"


def is_id(prefix: str, text: str) -> bool:
    """Tell whether `text` could be an id with that prefix."""
    head, _, suffix = text.partition("_")
    return head == prefix and _SUFFIX.match(suffix) is not None


def _random() -> bytes:
    """Return 10 random bytes; the system is asked for many at once, which costs less."""
    try:
        return _pool.pop()
    except IndexError:
        many = os.urandom(10 * _POOLED)
        _pool.extend(many[place : place + 10] for place in range(10, len(many), 10))
        return many[:10]


@lru_cache(maxsize=8)  # ids come several a millisecond
def _time(milliseconds: int) -> str:
    """Return the first 10 characters: two bits that are 0, and the 48 bits of the time."""
    return _digits(milliseconds, pairs=5)


def _rest(random: bytes) -> str:
    """Return the other 16 characters: 80 bits, with the version and the variant among them."""
    value = int.from_bytes(random, "big") & ~(0xF << 76 | 0b11 << 62) | 0x7 << 76 | 0b10 << 62
    return _digits(value, pairs=8)


def _digits(value: int, *, pairs: int) -> str:
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(10 * pairs - 10, -1, -10)])
