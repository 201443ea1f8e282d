"""Messages without what the request log must not hold: cards, secrets and keys.

Fields that are known to hold such a thing are hidden by their names. Any other text may hold it
too, since clients write what they like into some: what looks like a card's number or like one of
our keys is hidden there as well.
"""

import re
import string
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from google.protobuf.message import Message

from pkg.card_digits import CARD_DIGITS, last_four
from pkg.secret import OWN_KEYS

BULLETS = "••••"
_OF_A_CARD = r"tok_[0-9a-z]{26}"
_KEY = rf"{OWN_KEYS}|{_OF_A_CARD}"
# A UUID may have that many digits in a row, and is no card.
_UUID = r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
_HIDDEN = re.compile(rf"{_UUID}|(?P<key>{_KEY})|(?P<digits>{CARD_DIGITS})")
_SUSPICIOUS = re.compile(rf"{_KEY}|{CARD_DIGITS}")
_IS_TOKEN, _HAS_TOKEN = re.compile(rf"{_OF_A_CARD}\Z"), re.compile(_OF_A_CARD.encode())
# Bytes as what may be a digit, what is a letter, and the rest left out: see `_may_be_suspicious`.
DIGITS_LEAD = b"\xd9\xdb\xdf\xe0\xe1\xea\xef\xf0"  # how digits of other scripts begin in UTF-8
_DIGITS, _LETTERS = string.digits.encode() + DIGITS_LEAD, string.ascii_letters.encode()
_KINDS = bytes.maketrans(_DIGITS + _LETTERS, b"0" * len(_DIGITS) + b"a" * len(_LETTERS))
_NEITHER = bytes(set(range(256)) - set(_DIGITS + _LETTERS))
_CARD_RUN = b"0" * 12

Descriptor = Any  # protobuf tells type checkers of its descriptors in ways that do not fit together
_Hide = Callable[[str], str]
_Step = tuple[str, bool, "_Hide | tuple[_Step, ...]"]


def hidden_in(text: str) -> str:
    """Return a text without card numbers and keys; of digits the last four stay."""
    return _HIDDEN.sub(_replaced, text)


def redacted(message: Message) -> bytes:
    """Return a message's bytes without cards, secrets and keys; the message stays as it is."""
    kept = type(message)()
    kept.CopyFrom(message)
    kept.DiscardUnknownFields()  # nobody knows what is in them
    _hide(kept, _steps(type(message).DESCRIPTOR))
    data = kept.SerializeToString()
    # The texts are in it as they are, and before each is the end of its length, which is ASCII.
    if _may_be_suspicious(data) and _SUSPICIOUS.search(data.decode(errors="replace")):
        _hide_in_texts(kept)
        data = kept.SerializeToString()
    return data


def _may_be_suspicious(data: bytes) -> bool:
    """Tell whether it is worth looking for a key or a card's number, which takes ten times as long.

    Letters stand between a card's digits only in escapes, which begin with one of three characters.
    """
    if b"sk_" in data or b"whsec_" in data or _HAS_TOKEN.search(data):
        return True
    if b"%" in data or b"&" in data or b"\\" in data:
        return True
    return _CARD_RUN in data.translate(_KINDS, _NEITHER)


def _card_number(text: str) -> str:
    digits = text.replace(" ", "").replace("-", "")
    if not (12 <= len(digits) <= 19 and digits.isascii() and digits.isdecimal()):
        return BULLETS
    return "•" * (len(digits) - 4) + digits[-4:]


def _nothing(_text: str) -> str:
    return ""


def _secret(text: str) -> str:
    prefix, underscore, _ = text.partition("_")
    return f"{prefix}_{BULLETS}" if underscore and prefix in {"whsec", "sk"} else BULLETS


def _token(text: str) -> str:
    return f"tok_{BULLETS}{text[-4:]}" if _IS_TOKEN.match(text) else BULLETS


# What a field of this name holds, wherever it is.
HIDDEN_FIELDS: Mapping[str, _Hide] = {
    "pan": _card_number,
    "cvv": _nothing,
    "secret": _secret,
    "api_key": _secret,
    "token": _token,
    "card_token": _token,
}


@lru_cache(maxsize=200)  # of our own messages there are fewer
def _steps(descriptor: Descriptor) -> tuple[_Step, ...]:
    """Return what there is to hide in a message, as the way to it."""
    found: list[_Step] = []
    for field in descriptor.fields:
        inner = field.message_type
        if inner is None:
            if field.name in HIDDEN_FIELDS:
                found.append((field.name, field.is_repeated, HIDDEN_FIELDS[field.name]))
        elif inner.full_name.startswith("paygate.") and (steps := _steps(inner)):
            found.append((field.name, field.is_repeated, steps))
    return tuple(found)


def _hide(message: Any, steps: tuple[_Step, ...]) -> None:
    for name, is_repeated, what in steps:
        value = getattr(message, name)
        if callable(what):
            if is_repeated:
                value[:] = map(what, value)
            elif value:
                setattr(message, name, what(value))
        elif is_repeated:
            for one in value:
                _hide(one, what)
        elif message.HasField(name):
            _hide(value, what)


def _hide_in_texts(message: Message) -> None:
    """Look at every text of a message, which is slow, and hide what looks like a card or a key."""
    for field, value in message.ListFields():
        if field.message_type is not None:
            if field.message_type.GetOptions().map_entry:
                message.ClearField(field.name)  # headers in the inbox, which has them still
                continue
            for one in value if field.is_repeated else (value,):
                _hide_in_texts(one)
        elif field.type == field.TYPE_BYTES:
            message.ClearField(field.name)
        elif field.type == field.TYPE_STRING:
            if field.is_repeated:
                value[:] = map(hidden_in, value)
            else:
                setattr(message, field.name, hidden_in(value))


def _replaced(match: re.Match[str]) -> str:
    if match["key"]:
        return f"{match['key'].partition('_')[0]}_{BULLETS}"
    return BULLETS + last_four(match["digits"]) if match["digits"] else match[0]
