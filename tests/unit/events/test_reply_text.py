"""The start of an endpoint's answer, as text that can do no harm."""

import pytest

from services.events.reply_text import REPLY_BYTES_MAX, text_of
from tests.sentinels import BETWEEN, PANS

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain"
CHUNKED = HEAD + b"\r\nTransfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", ""),
        (b"ok", "ok"),
        ("Grüße 🙂".encode(), "Grüße 🙂"),
        (b"a\r\nb\n\tc", "a\nb\n\tc"),
        (b"\xff\xfea", "��a"),
        (b"a\0b\x1b[2Jc\x7fd", "a�b�[2Jc�d"),
        ("\u202eevil\u200b\u2028\u0085".encode(), "�evil���"),
    ],
)
def test_it_is_text_that_can_be_shown(raw: bytes, text: str) -> None:
    """UTF-8; what is none, what drives a terminal and what hides or turns text is replaced."""
    assert text_of(HEAD, raw) == text


@pytest.mark.parametrize("pan", PANS)
@pytest.mark.parametrize("between", BETWEEN)
def test_a_cards_number_is_masked(pan: str, between: str) -> None:
    """However it is written, of a number only what is in its last four characters is left."""
    digits = pan.replace(" ", "").replace("-", "")
    written = between.join(digits[place : place + 4] for place in range(0, len(digits), 4))
    text = text_of(HEAD, f'{{"card":"{written}"}}'.encode())
    assert written not in text
    assert sum(map(str.isdigit, text)) == 4
    assert text.endswith(f'{digits[-4:]}"}}')


@pytest.mark.parametrize("zero", "\u0660\u0966\uff10")
def test_digits_of_any_script_are_masked(zero: str) -> None:
    """A receiver may say again what somebody has typed on another keyboard."""
    written = "".join(chr(ord(zero) + int(digit)) for digit in "4242424242424242")
    assert text_of(HEAD, f"card {written}".encode()) == f"card {'*' * 12}{written[-4:]}"


@pytest.mark.parametrize("before", range(REPLY_BYTES_MAX - 20, REPLY_BYTES_MAX + 1))
def test_a_number_across_the_end_is_masked(before: int) -> None:
    """What is cut off does not keep the rest from being known as a number."""
    text = text_of(HEAD, b"x" * before + b"4242424242424242" + b"y" * 2_000)
    assert "4242424" not in text
    assert len(text.encode()) == REPLY_BYTES_MAX


def test_short_numbers_stay() -> None:
    """Amounts, ids of rows and times are what somebody who looks for a mistake wants to see."""
    said = "order 10045, 2026-11-28, took 1532 ms"
    assert text_of(HEAD, said.encode()) == said


@pytest.mark.parametrize(
    "secret", [f"whsec_{'Ab+/' * 8}", "whsec_Ab", f"sk_{'0a' * 8}_{'1b' * 32}", f"sk_{'0a' * 8}_"]
)
def test_secrets_of_ours_are_masked(secret: str) -> None:
    """A receiver that says what it expected may say its secret, or the start of it."""
    assert text_of(HEAD, f"bad signature: {secret}!".encode()) == "bad signature: ****!"


def test_a_character_across_the_end_is_left_out() -> None:
    """It is no mistake of the receiver's."""
    text = text_of(HEAD, "🙂".encode() * 1_000)
    assert text == "🙂" * (REPLY_BYTES_MAX // 4)
    assert text_of(HEAD, b"x" + "🙂".encode() * 1_000) == "x" + "🙂" * (REPLY_BYTES_MAX // 4 - 1)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"2\r\nok\r\n0\r\n\r\n", "ok"),
        (b"1;a=b\r\no\r\n1\r\nk\r\n0\r\n\r\n", "ok"),
        (b"8\r\n42424242\r\n8\r\n42424242\r\n0\r\n\r\n", "************4242"),
        (b"5\r\nhe", "he"),
        (b"zz\r\nok\r\n", ""),
        (b"1\r\no\r\nzz\r\nk", "o"),
        (b"ffffffff\r\nmuch", "much"),
    ],
)
def test_chunks_are_put_together(raw: bytes, text: str) -> None:
    """As far as they are chunks."""
    assert text_of(CHUNKED, raw) == text


def test_what_is_compressed_is_left_out() -> None:
    """Nothing is decompressed, and nobody reads it as it is."""
    assert text_of(HEAD + b"\r\nContent-Encoding: gzip", b"\x1f\x8b\x08") == ""
    assert text_of(HEAD + b"\r\ncontent-encoding: identity", b"ok") == "ok"
