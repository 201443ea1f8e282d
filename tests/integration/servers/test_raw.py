"""Clients that send what no library of gRPC's would."""

import asyncio
import logging

import pytest
from grpc import StatusCode

from pkg.grpc.servers.aio import AioServer
from tests.e2e.raw import (
    DATA,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    RST_STREAM,
    Answer,
    frame,
    opening,
    talk,
)
from tests.integration.servers.raw_calls import CANCEL, asked, message
from tests.integration.servers.served import Served, outcome, until


async def said(served: Served, *pieces: bytes, wait: float = 0.5) -> Answer:
    """Return what the server says to that."""
    return await asyncio.to_thread(talk, served.port, opening(), *pieces, wait=wait)


async def test_a_request_that_is_taken_back(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    """In the middle, or before it began: nothing is logged, and nothing is left."""
    half = frame(DATA, 0, 1, message(bytes(100))[:50])
    reset = frame(RST_STREAM, 0, 1, CANCEL)
    whole = asked("echo")
    for pieces in ((whole, half, reset), (whole, reset), (asked("converse"), reset)):
        await said(served, *pieces, wait=0.1)
    assert (await served.call("echo")).value == b"x"
    await until(lambda: served.service.begun == served.service.ended)
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_request_without_a_message(served: Served) -> None:
    """Is refused; grpc.aio says nothing to it, and leaves the client to its deadline."""
    answer = await said(served, asked("echo", flags=END_STREAM))
    if isinstance(served.server, AioServer):
        assert HEADERS not in {kind for kind, stream, _ in answer.frames() if stream == 1}
    else:
        assert b"wants exactly one request" in answer.data
    assert (await served.call("echo")).value == b"x"


async def test_a_request_in_pieces(served: Served) -> None:
    """Is answered when it is whole, and only the first of several messages counts."""
    whole = message(b"\x0a\x03abc") + message(b"\x0a\x03def")
    pieces = [frame(DATA, 0, 1, whole[at : at + 1]) for at in range(len(whole))]
    answer = await said(served, asked("echo"), *pieces, frame(DATA, END_STREAM, 1))
    bodies = [payload for kind, stream, payload in answer.frames() if (kind, stream) == (DATA, 1)]
    assert b"".join(bodies) == message(b"\x0a\x03abc")
    assert b"grpc-status\x010" in answer.data


@pytest.mark.parametrize("encoding", [b"gzip", b"br"], ids=["broken", "unknown"])
async def test_a_compressed_request_that_cannot_be_read(served: Served, encoding: bytes) -> None:
    """Is refused by gRPC itself, if not always with an answer; its handler never begins."""
    garbage = frame(DATA, END_STREAM, 1, message(b"\xff" * 40, compressed=1))
    answer = await said(served, asked("wait", (b"grpc-encoding", encoding)), garbage)
    assert encoding == b"br" or b"grpc-status\x0213" in answer.data
    assert served.service.begun == 0
    assert (await served.call("echo")).value == b"x"


async def test_metadata_of_any_size(served: Served) -> None:
    """As much as the edge lets through is read; more is refused, and the connection stays."""
    for size in (80 * 1024, 90 * 1024):
        assert (await served.call("echo", metadata=(("m-a", "a" * size),))).value == b"x"
    code, _ = await outcome(served.call("echo", metadata=(("m-a", "a" * 140 * 1024),)))
    assert code is StatusCode.RESOURCE_EXHAUSTED
    assert (await served.call("echo")).value == b"x"


async def test_metadata_that_are_no_text(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """Harm nobody, and are told nowhere."""
    odd = (b"authorization", b"Bearer \xff\xfe-secret")
    body = frame(DATA, END_STREAM, 1, message(b"\x0a\x01x"))
    await said(served, asked("echo", odd), body)
    assert "secret" not in caplog.text
    assert (await served.call("echo")).value == b"x"


async def test_a_flood_of_pings(served: Served) -> None:
    """Is cut off: so many keep nothing alive."""
    answer = await said(served, *(frame(PING, 0, 0, bytes(8)) for _ in range(50)))
    assert answer.closed
    assert b"too_many_pings" in b"".join(
        payload for kind, _, payload in answer.frames() if kind == GOAWAY
    )
    assert (await served.call("echo")).value == b"x"


async def test_what_is_no_http2(served: Served) -> None:
    """Is cut off."""
    answer = await asyncio.to_thread(
        talk, served.port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", wait=2.0
    )
    assert answer.closed
    assert (await served.call("echo")).value == b"x"


async def test_a_connection_is_told_to_go(served: Served) -> None:
    """When the server ends, and not before its call has its answer."""
    body = frame(DATA, END_STREAM, 1, message(b"\x0a\x01x"))
    talking = asyncio.create_task(said(served, asked("wait"), body, wait=3.0))
    await until(lambda: served.service.begun == 1)
    stopping = asyncio.create_task(served.server.stop(1.0))
    await asyncio.sleep(0.1)
    served.service.may_end.set()
    answer = await talking
    await stopping
    kinds = [kind for kind, _, _ in answer.frames()]
    assert GOAWAY in kinds
    assert b"grpc-status\x010" in answer.data
    assert answer.closed
