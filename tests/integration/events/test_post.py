"""Attempts against receivers that break the rules of HTTP, over real connections."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest

from pkg.process.mode import Mode
from services.events.exchange import INTERIM_ANSWERS_MAX, STATUS_BYTES_MAX
from services.events.post import Answer, Poster
from services.events.reply_text import REPLY_BYTES_MAX
from services.events.target import check_url
from tests.integration.events.raw_receiver import RawReceiver, answering

BODY = b'{"type":"payment.authorized"}'
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
ENCODED = b"HTTP/1.1 200 OK\r\ncontent-encoding: %s\r\ncontent-length: 3\r\n\r\n"
MANY = b"".join(b"x-%d: y\r\n" % number for number in range(150))

# What else there is of an answer does not count: the event has been taken.
TAKEN = {
    "a body": OK,
    "a header of 9 KB": b"HTTP/1.1 200 OK\r\nx: " + b"a" * 9_000 + b"\r\ncontent-length: 0\r\n\r\n",
    "a header of 200 KB": b"HTTP/1.1 200 OK\r\nx: " + b"a" * 200_000 + b"\r\n\r\n",
    "150 headers": b"HTTP/1.1 200 OK\r\n" + MANY + b"content-length: 0\r\n\r\n",
    "a header that is none": b"HTTP/1.1 200 OK\r\n\x00no header\r\n\r\n",
    "br": ENCODED % b"br" + b"xxx",
    "zstd": ENCODED % b"zstd" + b"xxx",
    "gzip that is none": ENCODED % b"gzip" + b"xxx",
    "a bomb": ENCODED % b"gzip" + gzip.compress(bytes(10**7)),
    "a bad chunk": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nxx\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
    "a length that is none": b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    "too short a body": b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\nok",
    "204 with a body": b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello",
    "205 with a body": b"HTTP/1.1 205 Reset Content\r\n\r\nhello",
    "a long reason": b"HTTP/1.1 200 " + b"o" * 20_000 + b"\r\n\r\n",
    "no reason": b"HTTP/1.1 202\r\n\r\n",
    "line feeds alone": b"HTTP/1.1 200 OK\ncontent-length: 0\n\n",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nok",
    "interim answers": b"HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" * INTERIM_ANSWERS_MAX + OK,
    "the head alone, then nothing": b"HTTP/1.1 200 OK\r\n",
}
NO_ANSWER = {
    b"": "the connection was closed before an answer",
    b"HTTP/1.1 20": "the connection was closed before an answer",
    b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n": "the answer is not HTTP/1.1",
    b"HTTP/2.0 200 OK\r\n\r\n": "the answer is not HTTP/1.1",
    b"HTTP/1.1 2000 OK\r\n\r\n": "the answer is not HTTP/1.1",
    b"HTTP/1.1 100 Continue\r\n\r\n" * (INTERIM_ANSWERS_MAX + 1): "too many interim answers (1xx)",
    b"HTTP/1.1 100 Continue\r\nx: " + b"a" * STATUS_BYTES_MAX: "the answer is too long",
}
PATHS = [
    "/hooks",
    "/a%3Ab/%2F%2f?x=%2F%3A&y=%20+",
    "/a/../b/./c//d/..",
    "/?",
    "/hooks?a=b?c=/d",
    "/%7Bid%7D;v=1,2/(x)'*!$&=@~",
    "/%E2%82%AC%00",
]


@pytest.fixture
async def poster() -> AsyncIterator[Poster]:
    """What posts in the sandbox, with little patience."""
    poster = Poster(Mode.SANDBOX, timeout_seconds=2)
    yield poster
    await poster.close()


async def posted(poster: Poster, receiver: RawReceiver, path: str = "/hooks") -> Answer:
    """Post once to a receiver."""
    return await poster.post(receiver.base + path, BODY, {"webhook-id": "evt_1"}, owner="mer_1")


@pytest.mark.parametrize("answer", TAKEN.values(), ids=TAKEN)
@pytest.mark.parametrize("keep", [False, True])
async def test_of_an_answer_only_the_status_counts(
    poster: Poster, answer: bytes, keep: bool
) -> None:
    """A 2xx is an acceptance whatever comes after it, and whether the receiver then closes."""
    async with answering(answer, keep=keep) as receiver:
        first = await posted(poster, receiver)
        second = await posted(poster, receiver)

    for got in (first, second):
        assert got.error == ""
        assert got.status in {200, 202, 204, 205}
    assert len(receiver.requests) == 2  # neither twice, nor answered by what the first left behind


@pytest.mark.parametrize(("answer", "words"), NO_ANSWER.items(), ids=NO_ANSWER.values())
async def test_what_is_no_answer_is_said_in_words(
    poster: Poster, answer: bytes, words: str
) -> None:
    """And nothing of what came is repeated."""
    async with answering(answer) as receiver:
        assert await posted(poster, receiver) == Answer(0, words)


@pytest.mark.parametrize("path", PATHS)
async def test_the_path_is_posted_to_byte_for_byte(poster: Poster, path: str) -> None:
    """Nothing is decoded, encoded or taken out."""
    async with answering(OK) as receiver:
        assert check_url(receiver.base + path, Mode.SANDBOX) is None
        assert await posted(poster, receiver, path) == Answer(200, reply="ok")

    assert receiver.paths == [path]


@pytest.mark.parametrize(
    ("path", "wire"), [("", "/"), ("?a", "/?a"), ("/{id}", "/{id}"), ("/%zz", "/%zz"), ("/#a", "/")]
)
async def test_what_was_registered_before_is_posted_to_as_it_stands(
    poster: Poster, path: str, wire: str
) -> None:
    """An endpoint that would be refused today goes on; a fragment never leaves a client."""
    async with answering(OK) as receiver:
        assert await posted(poster, receiver, path) == Answer(200, reply="ok")

    assert receiver.paths == [wire]


async def test_a_connection_is_used_again_when_that_is_safe(poster: Poster) -> None:
    """By requests that follow each other; and not when the receiver has closed it meanwhile."""
    async with answering(OK, keep=True) as receiver:
        for _ in range(3):
            assert await posted(poster, receiver) == Answer(200, reply="ok")
        assert receiver.lines == 1
    async with answering(OK) as receiver:
        for _ in range(3):
            assert await posted(poster, receiver) == Answer(200, reply="ok")
        assert receiver.lines == 3


async def test_an_answer_that_hangs_ends_in_time(poster: Poster) -> None:
    """Also one that sends a byte now and then."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in b"HTTP/1.1 200 OK":
            writer.write(bytes([byte]))
            await asyncio.sleep(0.5)

    async with answering(drip) as receiver:
        assert await posted(poster, receiver) == Answer(0, "no answer in time")


async def test_a_body_without_end_holds_up_nothing(poster: Poster) -> None:
    """The answer is known: what follows is read for a moment, and then cut off."""
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 999999\r\n\r\n")
        while True:
            writer.write(bytes(65_536))
            await writer.drain()
            sent += 1

    async with answering(endless) as receiver, asyncio.timeout(1):
        answer = await posted(poster, receiver)
    assert answer == Answer(200, reply="\ufffd" * (REPLY_BYTES_MAX // 3))
