"""What no HTTP library sends: each gets a clean refusal, and the edge goes on serving.

Envoy is the real one with its real configuration; only its timeouts are shorter.
"""

import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.e2e import raw
from tests.e2e.edge import Edge, Upstream, manager, rendered
from tests.e2e.raw import frame, opening, request_headers, talk
from tests.e2e.raw_requests import CHUNKED, CHUNKS, CLOSE, HOST, get, length, many, post

WAIT_SECONDS = 8.0
IDLE_SECONDS = 2.0


@pytest.fixture(scope="module")
def impatient(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """The edge with shorter timeouts."""
    config = rendered(upstream)
    http = manager(config)
    http |= {"request_headers_timeout": "1s", "request_timeout": "2s", "stream_idle_timeout": "1s"}
    http |= {"delayed_close_timeout": "0.1s", "drain_timeout": "0.1s"}
    http["common_http_protocol_options"]["idle_timeout"] = f"{IDLE_SECONDS}s"
    with Edge(config, tmp_path_factory.mktemp("impatient")) as running:
        yield running


@pytest.fixture(autouse=True)
def survives(impatient: Edge) -> Iterator[None]:
    """After each test the same Envoy serves, and has made no error of its own."""
    yield
    assert talk(impatient.port, get(CLOSE), wait=WAIT_SECONDS).statuses == [200]
    assert impatient.stats(r"^http\.edge\.downstream_rq_5xx") == {"http.edge.downstream_rq_5xx": 0}
    assert "error" not in impatient.log


def assert_safe(answer: raw.Answer) -> None:
    """Check that no reply is stored, or taken for anything but what it says it is."""
    replies = len(answer.statuses)
    assert answer.data.count(b"cache-control: no-store\r\n") == replies
    assert answer.data.count(b"x-content-type-options: nosniff\r\n") == replies


REFUSED: dict[str, tuple[int, bytes]] = {
    "a length and chunks": (400, post(b"Content-Length: 5\r\n" + CHUNKED, b"0\r\n\r\n")),
    "chunks and a length": (400, post(CHUNKED + b"Content-Length: 5\r\n", b"0\r\n\r\n")),
    "chunked twice": (400, post(CHUNKED + CHUNKED, CHUNKS)),
    "chunked, then not": (400, post(CHUNKED + b"Transfer-Encoding: identity\r\n", CHUNKS)),
    "chunked in a list": (400, post(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS)),
    "almost chunked": (400, post(b"Transfer-Encoding: xchunked\r\n", CHUNKS)),
    "chunked behind a vertical tab": (400, post(b"Transfer-Encoding: \x0bchunked\r\n", CHUNKS)),
    "a space before the colon": (400, post(b"Transfer-Encoding : chunked\r\n", CHUNKS)),
    "two lengths": (400, post(b"Content-Length: 2\r\nContent-Length: 3\r\n")),
    "the same length twice": (400, post(b"Content-Length: 2\r\nContent-Length: 2\r\n")),
    "a list of lengths": (400, length(b"2, 2")),
    "a length with a sign": (400, length(b"+2")),
    "a negative length": (400, length(b"-2")),
    "a hexadecimal length": (400, length(b"0x2")),
    "a length of more than 64 bits": (400, length(b"99999999999999999999")),
    "a length over 64 KiB": (413, length(b"65537", b" " * 65_537)),
    "two hosts": (400, get(b"Host: y\r\n")),
    "one host twice": (400, get(HOST)),
    "no host": (400, get(host=b"")),
    "HTTP/1.0": (426, get(version=b"HTTP/1.0")),
    "HTTP/0.9": (426, b"GET /payments\r\n"),
    "HTTP/2.5": (426, get(version=b"HTTP/2.5")),
    "lines that end in CR": (408, b"GET /payments HTTP/1.1\rHost: x\r\r"),
    "NUL in a header": (400, get(b"X: a\0b\r\n")),
    "NUL in a header's name": (400, get(b"X\0: a\r\n")),
    "a header without a colon": (400, get(b"X\r\n")),
    "a header without a name": (400, get(b": a\r\n")),
    "a header of 1 MB": (431, get(b"X: " + b"a" * 1_000_000 + b"\r\n")),
    "10,000 headers": (431, get(many(10_000))),
    "257 headers": (431, get(many(257))),
    "an address of 1 MB": (431, get(path=b"/" + b"a" * 1_000_000)),
    "another scheme": (403, get(path=b"https://x/payments")),
    "CONNECT": (404, get(method=b"CONNECT", path=b"other.example:443")),
    "TRACE": (405, get(CLOSE, method=b"TRACE")),
    "OPTIONS *": (404, get(CLOSE, method=b"OPTIONS", path=b"*")),
    "an unknown method": (400, get(method=b"BREW")),
    "a method in lower case": (400, get(method=b"get")),
    "a space in the path": (400, get(path=b"/pay ments")),
    "bytes that are no text in the path": (400, get(path=b"/payment/\xff\xfe")),
    "an escape that is none": (400, get(path=b"/payments?reference=%zz")),
    "a fragment": (400, get(path=b"/payments#x")),
    "a path of backslashes": (400, get(path=b"\\payments")),
    "a chunk of no size": (400, post(CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n")),
    "a chunk of a negative size": (400, post(CHUNKED, b"-2\r\n{}\r\n0\r\n\r\n")),
    "a chunk of more than 64 bits": (400, post(CHUNKED, b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n")),
    "a chunk that is longer than it says": (400, post(CHUNKED, b"2\r\n{}0\r\n\r\n")),
    "chunks over 64 KiB": (413, post(CHUNKED, b"10001\r\n" + b" " * 65_537 + b"\r\n0\r\n\r\n")),
    "10,000 trailers": (431, post(CHUNKED, b"2\r\n{}\r\n0\r\n" + many(10_000) + b"\r\n")),
    "a body of GET": (400, get(b"Content-Length: 2\r\n") + b"{}"),
    "headers that do not come": (408, b"GET /payments HTTP/1.1\r\nHost"),
    "a body that does not come": (408, length(b"20", b"{")),
    "a chunk that does not come": (408, post(CHUNKED, b"14\r\n{")),
    "TLS": (400, bytes.fromhex("16030100f1010000ed0303") + bytes(200)),
}


@pytest.mark.parametrize(("status", "request_"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_request_is_refused(
    impatient: Edge, upstream: Upstream, status: int, request_: bytes
) -> None:
    """One refusal, in the contract's shape, and nothing of it reaches a service."""
    before = len(upstream.calls)
    answer = talk(impatient.port, request_, wait=WAIT_SECONDS)
    assert answer.statuses == [status], answer
    assert b'"domain":"paygate"' in answer.data
    assert_safe(answer)
    assert answer.seconds < WAIT_SECONDS
    assert len(upstream.calls) == before


TAKEN: dict[str, tuple[list[int], bytes]] = {
    "an absolute address": ([200], get(CLOSE, path=b"http://other.example/payments")),
    "a path with dots": ([200], get(CLOSE, path=b"/x/../payments")),
    "an offer of h2c": (
        [200],
        get(
            b"Connection: Upgrade, HTTP2-Settings, close\r\n"
            b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n"
        ),
    ),
    "an offer of TLS": (
        [200],
        get(b"Connection: Upgrade, close\r\nUpgrade: TLS/1.2\r\n"),
    ),
    "an offer of two": ([200], get(b"Connection: Upgrade, close\r\nUpgrade: foo/2, bar\r\n")),
    "an offer beside a body": (
        [200],
        post(b"Content-Length: 2\r\nConnection: Upgrade, close\r\nUpgrade: TLS/1.2\r\n"),
    ),
    "a WebSocket": (
        [200],
        get(b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"),
    ),
    "an underscore in a header's name": ([200], get(CLOSE + b"Idempotency_Key: k\r\n")),
    "256 headers and a browser's cookies": (
        [200],
        get(CLOSE + many(250) + b"Cookie: " + b"a" * 40_000 + b"\r\n"),
    ),
    "a header over two lines": ([200], get(CLOSE + b"X: a\r\n b\r\n")),
    "lines that end in LF": ([200], b"GET /payments HTTP/1.1\nHost: x\nConnection: close\n\n"),
    "a long extension of a chunk": (
        [200],
        post(CHUNKED + CLOSE, b"2;" + b"a" * 9_999 + b"\r\n{}\r\n0\r\n\r\n"),
    ),
    "trailers": ([200], post(CHUNKED + CLOSE, b"2\r\n{}\r\n0\r\nX-Foo-Bin: y\r\n\r\n")),
    "an expectation": ([200], post(CLOSE + b"Content-Length: 2\r\nExpect: 100-continue\r\n")),
    "requests on each other's heels": ([200] * 4, get() * 3 + get(CLOSE)),
    "a request behind a body": ([200] * 2, length(b"2") + get(CLOSE)),
    "CR in a header that a service reads": ([200], get(CLOSE + b"Idempotency-Key: a\rb\r\n")),
    "a header that is no text": ([200], get(CLOSE + b"Idempotency-Key: \xff\xfe\r\n")),
    "a header that comes twice": ([200], get(CLOSE + b"Authorization: a\r\nAuthorization: b\r\n")),
}


@pytest.mark.parametrize(("statuses", "request_"), TAKEN.values(), ids=TAKEN.keys())
def test_what_is_odd_but_a_request_gets_its_reply(
    impatient: Edge, upstream: Upstream, statuses: list[int], request_: bytes
) -> None:
    """As many replies as there are requests, and as many calls as were taken."""
    before = len(upstream.calls)
    answer = talk(impatient.port, request_, wait=WAIT_SECONDS)
    assert answer.statuses == statuses, answer
    assert_safe(answer)
    assert answer.closed
    assert len(upstream.calls) - before == statuses.count(200)


def h2_request(stream: int, path: bytes = b"/payments", flags: int = raw.END_STREAM) -> bytes:
    """Return the headers of a request, in one frame."""
    return frame(raw.HEADERS, flags | raw.END_HEADERS, stream, request_headers(path))


def post_headers(stream: int) -> bytes:
    """Return the headers of a request whose body follows."""
    block = request_headers(b"/authorize", b"POST")
    block += raw.packed((b"content-type", b"application/json"))
    return frame(raw.HEADERS, raw.END_HEADERS, stream, block)


def resets(count: int) -> bytes:
    """Return requests that are taken back at once."""
    reset = struct.pack(">I", 8)
    return b"".join(
        h2_request(stream) + frame(raw.RST_STREAM, 0, stream, reset)
        for stream in range(1, 2 * count, 2)
    )


PING = frame(raw.PING, payload=bytes(8))
FLOODS: dict[str, list[bytes]] = {
    "another preface": [raw.PREFACE.replace(b"SM", b"XX")],
    "HTTP/1.1 behind the preface": [raw.PREFACE + get()],
    "a frame of 16 MiB": [opening() + b"\xff\xff\xff" + bytes([raw.DATA]) + bytes(5)],
    "a frame for a stream that is not open": [opening() + frame(raw.DATA, 0, 5, b"x")],
    "headers of no HPACK": [opening() + frame(raw.HEADERS, 5, 1, b"\xff" * 50)],
    "resets": [opening(), *[resets(5_000)]],
    "pings that nobody reads the replies of": [opening(), *[PING * 10_000] * 100],
    "settings that nobody reads the replies of": [opening(), *[frame(raw.SETTINGS) * 10_000] * 100],
    "settings that change": [
        opening(),
        *[frame(raw.SETTINGS, payload=struct.pack(">HI", 4, 1)) * 10_000] * 60,
    ],
    "priorities": [opening() + h2_request(1), *[frame(raw.PRIORITY, 0, 1, bytes(5)) * 10_000] * 2],
    "empty headers that go on": [
        opening() + frame(raw.HEADERS, raw.END_STREAM, 1, request_headers()),
        *[frame(raw.CONTINUATION, 0, 1) * 10_000] * 10,
    ],
    "headers that go on": [
        opening() + frame(raw.HEADERS, raw.END_STREAM, 1, request_headers()),
        *[frame(raw.CONTINUATION, 0, 1, raw.packed((b"x-a", b"a" * 100)) * 100)] * 1_000,
    ],
    "empty data": [opening() + post_headers(1), *[frame(raw.DATA, 0, 1) * 10_000]],
    "a window that overflows": [
        opening() + frame(raw.WINDOW_UPDATE, payload=struct.pack(">I", 2**31 - 1)) * 2
    ],
    "a window that does not grow": [opening() + frame(raw.WINDOW_UPDATE, payload=bytes(4))],
    "windows, again and again": [
        opening() + post_headers(1),
        *[frame(raw.WINDOW_UPDATE, payload=struct.pack(">I", 1)) * 10_000] * 10,
    ],
    "a window of more than 31 bits": [opening((4, 2**31))],
}


@pytest.mark.parametrize("pieces", FLOODS.values(), ids=FLOODS.keys())
def test_abuse_of_http_2_ends_the_connection(impatient: Edge, pieces: list[bytes]) -> None:
    """Floods and broken rules end in a closed connection, long before the flood does."""
    answer = talk(impatient.port, *pieces, wait=WAIT_SECONDS, receive_bytes=4_096)
    assert answer.closed, answer
    assert answer.seconds < IDLE_SECONDS  # and so not because nothing more came


ENDED: dict[str, bytes] = {
    "a reply that is not taken": opening((4, 0)) + h2_request(1),
    "headers that do not come": opening() + frame(raw.HEADERS, 0, 1, request_headers()),
    "a body that does not come": opening() + post_headers(1),
    # Refused for its size, or for the window, whichever Envoy comes to first.
    "more than there is a window for": opening()
    + post_headers(1)
    + frame(raw.DATA, 0, 1, bytes(16_384)) * 100,
}


@pytest.mark.parametrize("sent", ENDED.values(), ids=ENDED.keys())
def test_a_stream_that_cannot_go_on_ends(impatient: Edge, sent: bytes) -> None:
    """It ends by a reply, a reset or with its connection, which is closed when it is idle."""
    answer = talk(impatient.port, sent, wait=WAIT_SECONDS)
    ended = [
        kind for kind, stream, _ in answer.frames() if stream == 1 and kind != raw.WINDOW_UPDATE
    ]
    assert ended or answer.seconds < IDLE_SECONDS, answer
    assert answer.closed
    assert answer.seconds < WAIT_SECONDS


def test_connections_that_say_nothing_are_closed(impatient: Edge) -> None:
    """Hundreds of silent connections keep nobody out, and are closed when their time is up."""
    with ExitStack() as opened:
        silent = [
            opened.enter_context(socket.create_connection(("127.0.0.1", impatient.port)))
            for _ in range(200)  # an address may have 250
        ]
        assert talk(impatient.port, get(CLOSE), wait=WAIT_SECONDS).statuses == [200]
        for one in silent:
            one.settimeout(WAIT_SECONDS)
            assert one.recv(1) == b""
