"""Which shard a merchant belongs to: PostgreSQL's hash of a text, by which Citus spreads rows."""

from functools import lru_cache

_MASK = 0xFFFFFFFF
_MERCHANTS_MAX = 65_536  # whose hashes are kept


@lru_cache(_MERCHANTS_MAX)
def hash_of(text: str) -> int:
    """Return what `hashtext` and Citus' `worker_hash` return for it.

    It is Bob Jenkins' lookup3, as `hash_bytes` of PostgreSQL begins and ends it.
    """
    data = text.encode()
    a = b = c = (0x9E3779B9 + len(data) + 3_923_095) & _MASK
    place = 0
    while len(data) - place >= 12:  # three words
        a, b, c = _mixed(*_added(data[place : place + 12], (a, b, c)))
        place += 12
    rest = data[place:]
    # The lowest byte of the last word stands for the length, which is in there already.
    words = rest[:8].ljust(8, b"\0") + b"\0" + rest[8:].ljust(3, b"\0")
    hashed = _ended(*_added(words, (a, b, c)))
    return hashed - (1 << 32) if hashed >> 31 else hashed


def _added(words: bytes, state: tuple[int, int, int]) -> tuple[int, int, int]:
    a, b, c = (
        (one + int.from_bytes(words[at : at + 4], "little")) & _MASK
        for one, at in zip(state, (0, 4, 8), strict=True)
    )
    return a, b, c


def _turned(word: int, by: int) -> int:
    return ((word << by) | (word >> (32 - by))) & _MASK


def _mixed(a: int, b: int, c: int) -> tuple[int, int, int]:
    for by, next_by, last_by in ((4, 6, 8), (16, 19, 4)):
        a = ((a - c) & _MASK) ^ _turned(c, by)
        c = (c + b) & _MASK
        b = ((b - a) & _MASK) ^ _turned(a, next_by)
        a = (a + c) & _MASK
        c = ((c - b) & _MASK) ^ _turned(b, last_by)
        b = (b + a) & _MASK
    return a, b, c


def _ended(a: int, b: int, c: int) -> int:
    for by, next_by, last_by in ((14, 11, 25), (16, 4, 14)):
        c = ((c ^ b) - _turned(b, by)) & _MASK
        a = ((a ^ c) - _turned(c, next_by)) & _MASK
        b = ((b ^ a) - _turned(a, last_by)) & _MASK
    return ((c ^ b) - _turned(b, 24)) & _MASK
