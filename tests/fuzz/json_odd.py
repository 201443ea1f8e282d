"""JSON that means trouble: wrong types, odd numbers and texts, and what is no JSON at all."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.fuzz.odd import INTEGERS, TEXTS, WORST

VALUES: tuple[Any, ...] = (
    *(None, True, False, [], {}, [[]], [None], {"": {}}, {"a": 1}, [1] * 50, {"@type": "x"}),
    *(0.5, -0.0, 1e308, 1e-320, float("inf"), float("nan"), 10**400, -(10**30), 1.0, 1e18),
    *("1.5", "1e3", "0x1", "1_000", " 1", "+1", "1 ", "-9223372036854775809", "1" * 20),
    *("2026-13-01T00:00:00Z", "2026-01-01T00:00:00+25:00", "1s", "-1s", "1e3s", "9" * 15 + "s"),
    *("STATUS_NOPE", "status_authorized", "\ud800", "\udfff\ud800"),
)
# Instead of, before or after a whole body.
PIECES = (
    *(b"", b"{", b"}", b"[", b"null", b"true", b"0", b'""', b"\xff\xfe", b"\xef\xbb\xbf", b"\0"),
    *(b"//x\n", b"/**/", b"'", b'"', b",", b":", b"\\", b"\\u0000", b"\\ud800", b"\x1b", b"NaN"),
    *(b"{}", b"{}{}", b'{"a":', b'"__proto__":{},', b"<!--", b"=&", b"\xc3", b"\xed\xa0\x80"),
    *(b"\n", b"\xf4\x90\x80\x80"),
)


def dumped(fields: Any) -> bytes:
    """Return JSON, with or without what Python's own takes for it besides."""
    return json.dumps(fields).encode()


def tampered(random: Random, body: bytes) -> bytes:
    """Return a body that may be no valid request any more."""
    if random.random() < 0.4:
        return random.choice(_TEXT)(random, body)
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return random.choice(_TEXT)(random, body)
    return random.choice(_TREE)(random, fields)


def _value(random: Random) -> Any:
    return random.choice(random.choice((VALUES, INTEGERS, TEXTS, WORST)))


def _places(node: Any) -> list[tuple[Any, Any]]:
    """Return every place in a tree as the container and its key."""
    found: list[tuple[Any, Any]] = []
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        found.append((node, key))
        if isinstance(value, (dict, list)):
            found += _places(value)
    return found


def _replaced(random: Random, fields: Any) -> bytes:
    if not isinstance(fields, dict) or not fields or random.random() < 0.05:
        return dumped(_value(random))
    holder, key = random.choice(_places(fields))
    holder[key] = _value(random)
    return dumped(fields)


def _removed(random: Random, fields: Any) -> bytes:
    if isinstance(fields, dict) and fields:
        holder, key = random.choice(_places(fields))
        del holder[key]
    return dumped(fields)


def _added(random: Random, fields: Any) -> bytes:
    if isinstance(fields, dict):
        inner = [value for value in fields.values() if isinstance(value, dict)]
        holder = random.choice([fields, *inner])
        holder[random.choice(("surprise", "id", "", "amount", "@type", "a" * 300, "\0"))] = _value(
            random
        )
    return dumped(fields)


def _renamed(random: Random, fields: Any) -> bytes:
    if isinstance(fields, dict) and fields:
        key = random.choice(sorted(fields))
        other = random.choice(
            (key.upper(), key.replace("_", ""), f"{key} ", f"\u200b{key}", key.title())
        )
        fields[other] = fields.pop(key)
    return dumped(fields)


def _twice(random: Random, fields: Any) -> bytes:
    if not isinstance(fields, dict) or not fields:
        return dumped(fields)
    key = random.choice(sorted(fields))
    again = dumped({key: random.choice((fields[key], _value(random)))})
    return again[:-1] + b", " + dumped(fields)[1:]


def _deep(random: Random, fields: Any) -> bytes:
    depth = random.choice((20, 99, 101, 1000, 15_000))
    deep = random.choice((b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth))
    name = random.choice(("amount", "card_details", "surprise"))
    rest = dumped(fields)[1:] if isinstance(fields, dict) and fields else b"}"
    return b'{"%s": %s%s%s' % (name.encode(), deep, b", " if rest != b"}" else b"", rest)


def _one_byte(random: Random, body: bytes) -> bytes:
    place = random.randrange(len(body) + 1)
    return body[:place] + bytes([random.randrange(256)]) + body[place + random.randrange(2) :]


def _cut(random: Random, body: bytes) -> bytes:
    return body[: random.randrange(len(body) + 1)]


def _pieced(random: Random, body: bytes) -> bytes:
    place = random.choice((0, len(body), random.randrange(len(body) + 1)))
    return body[:place] + random.choice(PIECES) + body[place:]


def _recoded(random: Random, body: bytes) -> bytes:
    text = body.decode("latin-1")
    return text.encode(random.choice(("utf-16", "utf-16-le", "utf-32", "utf-7", "cp500")))


def _spaced(random: Random, body: bytes) -> bytes:
    return body + b" " * (random.choice((65_536, 65_537, 100_000)) - len(body))


def _quoted(random: Random, body: bytes) -> bytes:
    return random.choice(
        (body.replace(b'"', b"'"), body.replace(b'"', b""), body.replace(b"}", b",}"))
    )


_TREE: tuple[Callable[[Random, Any], bytes], ...] = (
    *(_replaced, _replaced, _replaced, _removed, _added, _renamed, _twice, _deep),
)
_TEXT: tuple[Callable[[Random, bytes], bytes], ...] = (
    *(_one_byte, _one_byte, _cut, _pieced, _pieced, _recoded, _spaced, _quoted),
)
