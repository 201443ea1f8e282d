"""The start of what an endpoint answered, as text that is safe to keep and to show.

A receiver may say anything, and may repeat what it was told elsewhere: digits that could be a
card's number are masked, and so are secrets of ours. What could drive a terminal, hide text or turn
it around is replaced.
"""

import codecs
import re
from collections.abc import Iterator

from pkg.card_digits import CARD_DIGITS, last_four
from pkg.secret import OWN_KEYS

REPLY_BYTES_MAX = 1024
# So that a number or a secret that begins in the first KiB is seen whole, and masked.
LOOKED_AT_BYTES_MAX = REPLY_BYTES_MAX + 256

_NUMBER = re.compile(CARD_DIGITS)
_SECRET = re.compile(OWN_KEYS)
# Control characters but tab and line feed, and what is not seen: marks of direction, of width 0,
# and separators of lines that only some programs know.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[^\r\n]{0,256}\r?\n")
_REPLACEMENT = "\ufffd"


def text_of(head: bytes, raw: bytes) -> str:
    """Return the first KiB of an answer's body as text; empty if it is compressed.

    Args:
        head: The answer's head.
        raw: What came after it, as it came; more than the first 1,280 bytes is not looked at.
    """
    if not raw:
        return ""
    headers = dict(fields_of(head))
    if headers.get(b"content-encoding", b"identity") != b"identity":
        return ""
    if headers.get(b"transfer-encoding") == b"chunked":
        raw = _without_chunks(raw)
    return plain_text(raw)


def plain_text(body: bytes) -> str:
    """Return the first KiB of a body as text."""
    return _safe(body[:LOOKED_AT_BYTES_MAX])


def _safe(body: bytes) -> str:
    # Not to its end: a character that is cut off there is no mistake of the receiver's.
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(body)
    text = _HARMFUL.sub(_REPLACEMENT, text.replace("\r\n", "\n"))
    text = _NUMBER.sub(_masked, _SECRET.sub("****", text))
    return text.encode()[:REPLY_BYTES_MAX].decode(errors="ignore")


def _masked(found: "re.Match[str]") -> str:
    return "*" * (len(found[0]) - 4) + last_four(found[0])


def fields_of(head: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the names and values of an answer's headers, in lower case."""
    for line in head.lower().splitlines()[1:]:
        name, _, value = line.partition(b":")
        yield name.strip(), value.strip()


def _without_chunks(raw: bytes) -> bytes:
    """Return what chunks hold (RFC 9112, section 7.1), up to where they are none any more."""
    body, place = b"", 0
    while len(body) < LOOKED_AT_BYTES_MAX and (size := _CHUNK_SIZE.match(raw, place)):
        begin = size.end()
        end = begin + int(size[1], 16)
        if end == begin:
            break
        body += raw[begin : min(end, begin + LOOKED_AT_BYTES_MAX)]
        place = end + (2 if raw[end : end + 2] == b"\r\n" else 1)
    return body
