"""The search for leaks finds what it says it finds: one secret is planted in each form."""

import base64
from collections.abc import Callable
from urllib.parse import quote

import pytest

from paygate.acquirer.v1.acquirer_service_pb2 import AuthorizeRequest
from paygate.payments.v1.payment_pb2 import CardDetails
from tests.leaks import Search, Secrets, holders
from tests.sentinels import AMEX, AMEX_CVV, CVV, MARK, PANS, VISA, luhn, written

KEY = f"sk_0123456789abcdef_{'9a8b7c6d5e4f3021' * 4}"
SIGNING = "whsec_" + base64.b64encode(bytes(one * 37 % 251 for one in range(24))).decode()
SECRETS = Secrets(pans=PANS, cvvs=(CVV, AMEX_CVV), api_keys=[KEY], signing_secrets=[SIGNING])
RANDOM_PART, SIGNING_TEXT = KEY.rpartition("_")[2], SIGNING.removeprefix("whsec_")
SIGNING_BYTES = base64.b64decode(SIGNING_TEXT)

TEXTS = [
    *(form for pan in PANS for form in written(pan)),
    *(KEY, RANDOM_PART, SIGNING, SIGNING_TEXT),
    *(MARK, "4929  1771-8364 0590", " ".join(VISA)),
]
ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "text": str.encode,
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "utf-32": lambda text: text.encode("utf-32"),
}
COMPACT: dict[str, Callable[[str], bytes]] = {
    "hexadecimal": lambda text: text.encode().hex().encode(),
    "upper case": lambda text: text.encode().hex().upper().encode(),
    "hexadecimal in UTF-16": lambda text: text.encode().hex().encode("utf-16-le"),
    "JSON escapes": lambda text: "".join(f"\\u{ord(one):04x}" for one in text).encode(),
    "URL escapes": lambda text: "".join(f"%{ord(one):02X}" for one in text).encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64, second place": lambda text: base64.b64encode(b"a" + text.encode() + b"b"),
    "base64, third place": lambda text: base64.b64encode(b"ab" + text.encode() + b"cd"),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(b"?" + text.encode() + b"?"),
}
COMPACT_TEXTS = [*PANS, KEY, RANDOM_PART, SIGNING, SIGNING_TEXT]
BYTES = {
    "a number, little endian": int(VISA).to_bytes(8, "little"),
    "a number, big endian": int(AMEX).to_bytes(8, "big"),
    "packed decimals": bytes.fromhex(VISA),
    "packed decimals, odd": bytes.fromhex(f"0{AMEX}"),
    "a varint": AuthorizeRequest(minor_units=int(VISA)).SerializeToString(),
    "a protobuf message": CardDetails(pan=VISA).SerializeToString(),
    "a CVV in a protobuf message": CardDetails(cvv=AMEX_CVV).SerializeToString(),
    "a CVV in the bank's message": AuthorizeRequest(cvv=CVV).SerializeToString(),
    "a CVV in JSON": b'{"cvv": "739"}',
    "a CVV in text format": b'cvv: "7391"',
    "a CVV in escaped JSON": b'{\\"cvv\\":\\"739\\"}',
    "a CVV in a query": b"card_details.cvv=739&a=b",
    "a key's bytes": bytes.fromhex(RANDOM_PART),
    "a key's bytes in base64": base64.b64encode(b"x" + bytes.fromhex(RANDOM_PART)),
    "a signing secret's bytes": SIGNING_BYTES,
    "a signing secret's bytes in hexadecimal": SIGNING_BYTES.hex().encode(),
    "a signing secret's bytes in base64": base64.b64encode(b"xy" + SIGNING_BYTES),
}


@pytest.fixture(scope="module")
def search() -> Search:
    """The search of all these secrets at once."""
    return Search(SECRETS)


def assert_found_anywhere(search: Search, planted: bytes) -> None:
    """Find it at each place of a block, between what a database file holds."""
    noise = bytes(range(256)) * 4
    assert not search.of(noise)
    for place in range(17):
        assert search.of(noise + b"." * place + planted + b"/" + noise), (place, planted)


@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS.keys())
def test_text_is_found(search: Search, encoding: Callable[[str], bytes]) -> None:
    """A number, however it is grouped, and a key are found in text of any width."""
    for text in TEXTS:
        assert_found_anywhere(search, encoding(text))


@pytest.mark.parametrize("encoding", COMPACT.values(), ids=COMPACT.keys())
def test_encoded_text_is_found(search: Search, encoding: Callable[[str], bytes]) -> None:
    """A secret is found in each encoding that the docstring names."""
    for text in COMPACT_TEXTS:
        assert_found_anywhere(search, encoding(text))


@pytest.mark.parametrize("planted", BYTES.values(), ids=BYTES.keys())
def test_bytes_are_found(search: Search, planted: bytes) -> None:
    """Numbers in binary, CVVs by their names and tags, and what texts stand for are found."""
    assert_found_anywhere(search, planted)


def test_nothing_else_is_found(search: Search) -> None:
    """What may be shown is no hit: last four digits, a key's id, other numbers, digits alone."""
    shown = [VISA[-4:], VISA[:6], KEY[:19], "4242424242424242", "739", "cvv: 7399", quote("cvv=12")]
    noise = bytes(range(256)) * 100
    assert search.of("\n".join(shown).encode() + noise) == []
    assert not Search(Secrets()).of("\n".join(TEXTS).encode())


def test_where_it_is_found_is_said_and_what_is_not_repeated(search: Search) -> None:
    """The report names the place and the form, and can be printed."""
    found = holders(search, [("a log", KEY.encode()), ("nothing", b"nothing")])
    assert found == {"a log": ["an API key as text"]}


def test_sentinels_are_card_numbers_that_share_their_mark() -> None:
    """Each passes the Luhn check, and shows nothing of the mark in what may be shown of it."""
    for pan in PANS:
        assert luhn(pan[:-1]) == pan
        assert MARK in pan
        assert MARK not in pan[:10]
    assert quote(VISA) == VISA
