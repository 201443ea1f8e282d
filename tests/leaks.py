r"""Searches for secrets in every form that they are likely to be written in.

A card's number is searched for by the digits that all sentinels share (`tests.sentinels`), and
whole; an API key by its random part; a webhook's signing secret by its bytes. Each is found

- as text, with spaces, hyphens or NULs between its characters (so in UTF-16 and UTF-32 too);
- in hexadecimal digits of either case, of the text and, where it stands for bytes, of those;
- in base64, plain and URL-safe, at each of the three alignments, of both;
- escaped as JSON (`\u0034`) or in a URL (`%34`) can be;
- a number also in binary: little and big endian, as a varint of protobuf, as packed decimals;
- a CVV, which is too short to be told from other digits, only where something says that it is
  one: after its name, or after the tag of a protobuf field of that name.

In a protobuf message text stands as it is. What is compressed, encrypted, hashed or encoded twice
is not found.
"""

import base64
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tests.fuzz.wire import BYTES, tag, varint
from tests.sentinels import MARK
from tools.stack.settings import REPOSITORY

_WINDOW = 8
_SHORTEST = 2 * _WINDOW - 1
_BETWEEN = b" -\0"
_ZEROS = re.compile(rb"\0{64,}")


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What is searched for.

    Attributes:
        pans: Numbers of cards, digits only, each with `MARK` in it.
        cvvs: Of those cards.
        api_keys: Whole keys.
        signing_secrets: As they are told, `whsec_…`.
    """

    pans: Sequence[str] = ()
    cvvs: Sequence[str] = ()
    api_keys: Sequence[str] = ()
    signing_secrets: Sequence[str] = ()


class Search:
    """Looks for all secrets at once; how many there are makes no difference to the time.

    Whatever is 15 bytes or longer holds one whole block of 8 at any alignment: blocks of what is
    searched are looked up among all that begin such a form. Only the forms of those that are found
    are then compared: among many digests some block of a key's digits is there by chance.
    """

    def __init__(self, secrets: Secrets) -> None:
        forms: dict[bytes, str] = {}
        for form, name in _forms(secrets):
            forms.setdefault(form, name)
        self._short = {form: name for form, name in forms.items() if len(form) < _SHORTEST}
        self._windows: dict[int, dict[bytes, str]] = {}
        for form in forms.keys() - self._short.keys():
            for window in array("Q", b"".join(form[i : i + _WINDOW] for i in range(_WINDOW))):
                self._windows.setdefault(window, {})[form] = forms[form]
        self._cvv = _cvv_pattern(secrets.cvvs)

    def of(self, data: bytes) -> list[str]:
        """Return what is found in some bytes, in words that do not repeat it."""
        data = _ZEROS.sub(b"\0" * 8, data)
        squeezed = data.translate(None, _BETWEEN)
        found = {*self._found(data), *self._found(squeezed)}
        if self._cvv and self._cvv.search(data):
            found.add("a CVV")
        return sorted(found)

    def _found(self, data: bytes) -> Iterator[str]:
        for form, name in self._short.items():
            if form in data:
                yield name
        blocks = array("Q", data[: len(data) // _WINDOW * _WINDOW])
        if not self._windows.keys().isdisjoint(blocks):
            for window in self._windows.keys() & set(blocks):
                for form, name in self._windows[window].items():
                    if form in data:
                        yield name


def forms_of_text(text: str) -> Iterator[tuple[bytes, str]]:
    """Return each way to write a text, with its name."""
    data = text.encode()
    yield data, "text"
    yield "".join(f"\\u{ord(one):04x}" for one in text).encode(), "JSON escapes"
    yield "".join(f"%{ord(one):02X}" for one in text).encode(), "URL escapes"
    yield "".join(f"%{ord(one):02x}" for one in text).encode(), "URL escapes"
    yield from forms_of_bytes(data)


def forms_of_bytes(data: bytes) -> Iterator[tuple[bytes, str]]:
    """Return each way to write bytes as text, with its name."""
    yield data.hex().encode(), "hexadecimal"
    yield data.hex().upper().encode(), "hexadecimal"
    for offset in range(3):
        # Without the characters that what stands before and after has a part in.
        encoded = base64.b64encode(b"\0" * offset + data)
        kept = encoded[(0, 2, 3)[offset] : len(encoded) - (0, 3, 2)[(offset + len(data)) % 3]]
        yield kept, "base64"
        yield kept.replace(b"+", b"-").replace(b"/", b"_"), "base64"


def forms_of_number(pan: str) -> Iterator[tuple[bytes, str]]:
    """Return each way to write a card's number in binary, with its name."""
    number = int(pan)
    yield number.to_bytes(8, "little"), "binary"
    yield number.to_bytes(8, "big"), "binary"
    yield varint(number), "varint"
    even = pan if len(pan) % 2 == 0 else f"0{pan}"
    yield bytes.fromhex(even), "packed decimals"


def _forms(secrets: Secrets) -> Iterator[tuple[bytes, str]]:
    if secrets.pans:
        assert all(MARK in pan for pan in secrets.pans)
        yield from _named("a card's number", forms_of_text(MARK))
    for pan in secrets.pans:
        yield from _named("a card's number", forms_of_number(pan))
    for key in secrets.api_keys:
        random_part = key.rpartition("_")[2]
        yield from _named("an API key", forms_of_text(random_part))
        yield from _named("an API key's bytes", _of_hex(random_part))
    for secret in secrets.signing_secrets:
        text = secret.removeprefix("whsec_")
        data = base64.b64decode(text)
        yield from _named("a signing secret", forms_of_text(text))
        yield from _named("a signing secret's bytes", (*forms_of_bytes(data), (data, "binary")))


def _of_hex(text: str) -> Iterator[tuple[bytes, str]]:
    data = bytes.fromhex(text)
    yield data, "binary"
    yield from forms_of_bytes(data)


def _named(what: str, forms: Iterable[tuple[bytes, str]]) -> Iterator[tuple[bytes, str]]:
    for form, name in forms:
        yield form, f"{what} as {name}"


def _cvv_pattern(cvvs: Sequence[str]) -> re.Pattern[bytes] | None:
    if not cvvs:
        return None
    values = b"|".join(re.escape(cvv.encode()) for cvv in cvvs)
    named = rb"(?i:cvv|cvc)[^0-9a-zA-Z]{0,8}(?:" + values + rb")(?![0-9])"
    tagged = [
        re.escape(tag(number, BYTES) + varint(len(cvv)) + cvv.encode())
        for number in sorted(_cvv_fields())
        for cvv in cvvs
    ]
    return re.compile(b"|".join((named, *tagged)))


def _cvv_fields() -> set[int]:
    """Return the numbers of the fields that hold a CVV, in any message."""
    files = FileDescriptorSet.FromString((REPOSITORY / "build" / "paygate.binpb").read_bytes())
    return {
        field.number
        for file in files.file
        for message in file.message_type
        for field in message.field
        if field.name == "cvv"
    }


def holders(search: Search, places: Iterable[tuple[str, bytes]]) -> dict[str, list[str]]:
    """Return the places where something is found, and what."""
    found = {name: search.of(data) for name, data in places}
    return {name: what for name, what in found.items() if what}
