"""TypeIDs: a prefix and a UUIDv7 in 26 characters, so that ids sort by the time they were made.

Follows TypeID 0.3 (base 32 after Crockford, lower case) over UUIDv7 (RFC 9562, section 5.7).
"""

import re
import secrets
from datetime import UTC, datetime

_EPOCH = datetime.fromtimestamp(0, UTC)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# 26 characters hold 130 bits: the first one carries only three of the 128.
_SUFFIX = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}\Z")


def new_id(prefix: str, now: datetime) -> str:
    """Return a fresh id such as `pay_01k…`, sorting by `now` to the millisecond."""
    random = secrets.randbits(74)
    return _format(prefix, _uuid7(now, random >> 62, random & (1 << 62) - 1))


def lowest_id(prefix: str, now: datetime) -> str:
    """Return the id that sorts before every id made in the millisecond of `now` or later."""
    # Ids begin with the year 1970.
    return _format(prefix, _uuid7(max(now, _EPOCH), 0, 0))


def is_id(prefix: str, text: str) -> bool:
    """Tell whether `text` could be an id with that prefix."""
    head, _, suffix = text.partition("_")
    return head == prefix and _SUFFIX.match(suffix) is not None


def _uuid7(now: datetime, random_a: int, random_b: int) -> int:
    milliseconds = int(now.timestamp() * 1000)
    return milliseconds << 80 | 0x7 << 76 | random_a << 64 | 0b10 << 62 | random_b


def _format(prefix: str, value: int) -> str:
    digits = [_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(digits)}"
