"""Protobuf bytes that mean trouble: what a correct encoder never writes."""

from collections.abc import Callable
from random import Random

# gRPC itself refuses more than 1 MiB, in its own words.
BYTES_MAX = 900_000
VARINT, FIXED64, BYTES, BEGIN_GROUP, END_GROUP, FIXED32 = range(6)


def tampered(random: Random, data: bytes) -> bytes:
    """Return the bytes of a message after one to three accidents."""
    for _ in range(random.choice((1, 1, 2, 3))):
        data = random.choice(_ACCIDENTS)(random, data)
    return data[:BYTES_MAX]


def varint(value: int) -> bytes:
    """Return a number in base 128, as protobuf writes it."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes((*found, value))


def tag(number: int, wire_type: int) -> bytes:
    """Return what stands before a field's value."""
    return varint(number << 3 | wire_type)


def _flipped(random: Random, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(random.choice((1, 1, 2, 8))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _set(random: Random, data: bytes) -> bytes:
    changed = bytearray(data or b"\0")
    changed[random.randrange(len(changed))] = random.choice(
        (0, 0x7F, 0x80, 0xFF, random.randrange(256))
    )
    return bytes(changed)


def _cut(random: Random, data: bytes) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _inserted(random: Random, data: bytes) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.randbytes(random.choice((1, 1, 4, 40))) + data[place:]


def _removed(random: Random, data: bytes) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + data[place + random.randint(1, 6) :]


def _repeated(random: Random, data: bytes) -> bytes:
    """A singular field that comes twice: messages are merged, of scalars the last one counts."""
    return data * random.choice((2, 2, 3, 50))


def _unknown_field(random: Random, data: bytes) -> bytes:
    number = random.choice((0, 1, 2, 3, 15, 16, 99, 19_000, 2**29 - 1, 2**29, 2**32))
    wire_type = random.randrange(8)
    value = {
        VARINT: varint(random.getrandbits(63)),
        FIXED64: random.randbytes(8),
        BYTES: varint(5) + random.randbytes(5),
        BEGIN_GROUP: tag(1, VARINT) + b"\1" + tag(number, END_GROUP),
        FIXED32: random.randbytes(4),
    }.get(wire_type, b"")
    more = tag(number, wire_type) + value
    return random.choice((data + more, more + data))


def _long_varint(random: Random, data: bytes) -> bytes:
    return (
        data + tag(random.randint(1, 6), VARINT) + b"\xff" * random.choice((9, 10, 11, 200)) + b"\1"
    )


def _huge_length(random: Random, data: bytes) -> bytes:
    length = random.choice(
        (2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1, len(data) + 1, 65_536)
    )
    return data + tag(random.randint(1, 6), BYTES) + varint(length) + b"abc"


def _nested_groups(random: Random, data: bytes) -> bytes:
    depth, number = random.choice((1, 30, 99, 101, 5000)), random.randint(1, 20)
    ends = random.choice((depth, depth - 1, 0))
    return data + tag(number, BEGIN_GROUP) * depth + tag(number, END_GROUP) * ends


def _nested_messages(random: Random, data: bytes) -> bytes:
    for _ in range(random.choice((10, 99, 101, 400))):
        data = tag(random.randint(1, 3), BYTES) + varint(len(data)) + data
    return data


def _no_text(random: Random, data: bytes) -> bytes:
    broken = random.choice(
        (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"a\0b", b"\xc0\xaf")
    )
    return data + tag(random.randint(1, 6), BYTES) + varint(len(broken)) + broken


def _large(random: Random, data: bytes) -> bytes:
    size = random.choice((1000, 65_000, 65_536, 70_000, 300_000))
    return data + tag(random.choice((2, 3, 4, 99)), BYTES) + varint(size) + b"a" * size


def _noise(random: Random, _: bytes) -> bytes:
    return random.randbytes(random.choice((1, 2, 10, 100)))


_ACCIDENTS: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(_flipped, _flipped, _flipped, _set, _set, _cut, _inserted, _removed, _repeated),
    *(_unknown_field, _unknown_field, _long_varint, _huge_length, _nested_groups),
    *(_nested_messages, _no_text, _large, _noise),
)
