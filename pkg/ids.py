"""TypeIDs: a prefix and a UUIDv7 in 26 characters, so that ids sort by the time they were made.

Follows TypeID 0.3 (base 32 after Crockford, lower case) over UUIDv7 (RFC 9562, section 5.7). Within
a process each id sorts after the one before: in one millisecond by a counter that starts and grows
by chance (section 6.2, method 2). Between processes only the millisecond counts.
"""

import os
import re
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache

_EPOCH = datetime.fromtimestamp(0, UTC)
_VERSION_AND_VARIANT = 0x7 << 76 | 0b10 << 62
_STEP_MASK = 2**32 - 1  # nobody can tell the next id from this one
# A time that is read before another one may be used after it. A clock that goes back further is
# believed: ids must not carry a time that is not theirs.
_BACK_MAX_MILLISECONDS = 1_000
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_POOLED = 256
_pool: "deque[bytes]" = deque()
# 26 characters hold 130 bits: the first one carries only three of the 128.
SUFFIX_PATTERN = "[0-7][0-9a-hjkmnp-tv-z]{25}"
_SUFFIX = re.compile(rf"{SUFFIX_PATTERN}\Z")


class _Counter:
    """The millisecond and the counter of the last id."""

    def __init__(self) -> None:
        self._milliseconds = 0
        self._count = 0

    def next(self, milliseconds: int, chance: int) -> tuple[int, int]:
        """Return the millisecond and the counter of the next id.

        Args:
            milliseconds: The time that it is made for.
            chance: 80 random bits.
        """
        if self._milliseconds - _BACK_MAX_MILLISECONDS <= milliseconds <= self._milliseconds:
            self._count += 1 + (chance & _STEP_MASK)
        else:
            # The uppermost bit stays free, so that there is room to count.
            self._milliseconds, self._count = milliseconds, chance >> 7
        return self._milliseconds, self._count

    def forget(self) -> None:
        """Begin anew."""
        self._milliseconds = self._count = 0


_counter = _Counter()


def _begin_anew() -> None:
    """Keep a forked process from making the ids of its parent."""
    _pool.clear()
    _counter.forget()


os.register_at_fork(after_in_child=_begin_anew)


def new_id(prefix: str, now: datetime) -> str:
    """Return a fresh id such as `pay_01k…`, sorting by `now` to the millisecond.

    It sorts after all that this process made before, unless `now` is a second before them or more.
    """
    milliseconds, count = _counter.next(int(now.timestamp() * 1000), _random())
    return f"{prefix}_{_time(milliseconds)}{_rest(count)}"


def lowest_id(prefix: str, now: datetime) -> str:
    """Return the id that sorts before every id made in the millisecond of `now` or later."""
    # Ids begin with the year 1970.
    return f"{prefix}_{_time(int(max(now, _EPOCH).timestamp() * 1000))}{_rest(0)}"


def after_all_ids(prefix: str) -> str:
    """Return what sorts after every id with that prefix: they go on with 7 at most."""
    return f"{prefix}_8"


def is_id(prefix: str, text: str) -> bool:
    """Tell whether `text` could be an id with that prefix."""
    head, _, suffix = text.partition("_")
    return head == prefix and _SUFFIX.match(suffix) is not None


def _random() -> int:
    """Return 80 random bits; the system is asked for many at once, which costs less."""
    if not _pool:
        many = os.urandom(10 * _POOLED)
        _pool.extend(many[place : place + 10] for place in range(0, len(many), 10))
    return int.from_bytes(_pool.pop(), "big")


@lru_cache(maxsize=8)  # ids come several a millisecond
def _time(milliseconds: int) -> str:
    """Return the first 10 characters: two bits that are 0, and the 48 bits of the time."""
    return _digits(milliseconds, pairs=5)


def _rest(count: int) -> str:
    """Return the other 16 characters: a counter of 74 bits, around the version and the variant."""
    high, low = count >> 62 & 0xFFF, count & (1 << 62) - 1
    value = high << 64 | low | _VERSION_AND_VARIANT
    # Twice as fast as what `_digits` would do: there is one for every id.
    return (
        f"{_PAIRS[value >> 70]}{_PAIRS[value >> 60 & 1023]}{_PAIRS[value >> 50 & 1023]}"
        f"{_PAIRS[value >> 40 & 1023]}{_PAIRS[value >> 30 & 1023]}{_PAIRS[value >> 20 & 1023]}"
        f"{_PAIRS[value >> 10 & 1023]}{_PAIRS[value & 1023]}"
    )


def _digits(value: int, *, pairs: int) -> str:
    return "".join([_PAIRS[value >> shift & 1023] for shift in range(10 * pairs - 10, -1, -10)])
