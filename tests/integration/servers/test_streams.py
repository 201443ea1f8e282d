"""Calls that stream: messages in order, each side at the other's pace, and both ends of them."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import BytesValue
from grpc import StatusCode, aio
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2 import HealthCheckResponse
from structlog.testing import capture_logs

from pkg.grpc.servers.aio import AioServer
from tests.e2e.raw import DATA, END_STREAM, frame, opening, talk
from tests.integration.servers.raw_calls import asked, message
from tests.integration.servers.served import LARGE, SECRET, Served, outcome, until


async def test_many_replies(served: Served) -> None:
    """All of them, in order; or none."""
    for count in (0, 1, 500):
        stream = served.stream("send", b"%d" % count)
        assert [reply.value async for reply in stream] == [b"%d" % n for n in range(count)]
        assert await stream.code() is StatusCode.OK
        assert "x-request-id" in dict(await stream.trailing_metadata())


async def test_many_requests(served: Served) -> None:
    """All of them, in order."""

    async def requests() -> Any:
        for number in range(100):
            yield BytesValue(value=b"%d," % number)

    call = served._method(served.channel.stream_unary, "gather")(requests())
    assert (await call).value == b"".join(b"%d," % number for number in range(100))


async def test_a_conversation(served: Served) -> None:
    """Each request is answered before the next one is made, and then both say goodbye."""
    call = served.talk("converse")
    for number in range(50):
        await call.write(BytesValue(value=b"%d" % number))
        assert (await call.read()).value == b"re %d" % number
    await call.done_writing()
    assert (await call.read()).value == b"bye"
    assert await call.read() is aio.EOF
    assert await call.code() is StatusCode.OK


async def test_a_line_that_is_read_and_written_at_once(served: Served) -> None:
    """With headers that come before anything else."""
    call = served.talk("line")
    assert ("i-a", "1") in tuple(await call.initial_metadata())
    sent = [b"%d" % number for number in range(200)]

    async def write() -> None:
        for value in sent:
            await call.write(BytesValue(value=value))
        await call.done_writing()

    writing = asyncio.create_task(write())
    got = [reply.value async for reply in call]
    await writing
    assert sorted(got) == sorted(sent * 2)


async def test_who_does_not_read_is_waited_for(served: Served) -> None:
    """A handler that writes goes on when the client has room, and not before."""
    stream = served.stream("send_large")
    await stream.read()
    before = -1
    while served.service.written != before:  # until it gets no further
        before = served.service.written
        await asyncio.sleep(0.1)
    # gRPC's windows grow with the time of a round trip, which is long on a busy machine.
    assert before * len(LARGE) < 64 * 1024 * 1024
    for _ in range(2 * before + 10):
        await stream.read()
    assert served.service.written > before
    stream.cancel()
    await until(lambda: served.service.cancelled == 1)


async def test_who_is_not_read_waits(served: Served) -> None:
    """A client whose requests a handler does not read can't send more and more of them."""
    call = served.talk("wait_for_room")
    written = 0
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            # gRPC's windows grow with the time of a round trip, which is long on a busy machine.
            while written < 1_000:
                await call.write(BytesValue(value=bytes(60_000)))
                written += 1
    assert written < 1_000
    call.cancel()


@pytest.mark.parametrize(
    ("value", "code"),
    [(b"refused", StatusCode.FAILED_PRECONDITION), (b"failed", StatusCode.INTERNAL)],
)
async def test_a_stream_that_goes_wrong(served: Served, value: bytes, code: StatusCode) -> None:
    """Tells what there was before, and then the refusal; of a fault nothing."""
    stream = served.stream("send_then", value)
    with capture_logs() as logs:
        assert (await stream.read()).value == value
        ended, details = await outcome(stream)
    assert ended is code
    assert SECRET not in details
    assert [log["event"] for log in logs] == ["unexpected error"] * (code is StatusCode.INTERNAL)


async def test_a_request_of_a_stream_that_is_no_message(served: Served) -> None:
    """Is refused as any other is."""
    channel: Any = served.channel
    call = channel.stream_stream("/test.Service/converse")()
    await call.write(b"\xff\xff\xff")
    assert (await outcome(call))[0] is StatusCode.INVALID_ARGUMENT
    code, _ = await outcome(channel.unary_stream("/test.Service/send")(bytes(100_000)))
    assert code is StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("seconds", [None, 0.2])
async def test_a_stream_whose_client_goes_is_told(served: Served, seconds: float | None) -> None:
    """Whether it hangs up or its deadline passes: the handler is cancelled, and ends.

    Where it reads, grpc.aio may tell it first that there are no more requests, and cancel it after.
    """
    call = served.talk("converse", timeout=seconds)
    await call.write(BytesValue(value=b"1"))
    await call.read()
    if seconds is None:
        call.cancel()
    await until(lambda: served.service.ended == 1)
    assert served.service.cancelled == 1 or isinstance(served.server, AioServer)
    assert served.abandoned == []
    assert (await served.call("echo", b"y")).value == b"y"


def watching(served: Served, service: str = "") -> Any:
    """Watch the health of a server."""
    return served.channel.unary_stream(
        "/grpc.health.v1.Health/Watch",
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=HealthCheckResponse.FromString,
    )(health_pb2.HealthCheckRequest(service=service))


async def test_health_is_watched(served: Served) -> None:
    """A watcher is told at once, again when it changes, and let go at the end."""
    watch, other = watching(served), watching(served, "other")
    assert (await watch.read()).status == HealthCheckResponse.SERVING
    assert (await other.read()).status == HealthCheckResponse.SERVICE_UNKNOWN
    served.health.leave()
    assert (await watch.read()).status == HealthCheckResponse.NOT_SERVING
    served.health.close()
    for one in (watch, other):
        assert await one.read() is aio.EOF
        assert await one.code() is StatusCode.OK


async def test_who_watches_and_does_not_read_holds_up_nobody(served: Served) -> None:
    """Others are told of a change, however many there are who have no room for it."""
    silent = [watching(served) for _ in range(20)]
    no_room = opening((4, 0)) + asked("/grpc.health.v1.Health/Watch", flags=0)
    body = frame(DATA, END_STREAM, 1, message(b""))
    raw = asyncio.create_task(asyncio.to_thread(talk, served.port, no_room, body, wait=1.0))
    for one in silent:
        await one.read()
    await asyncio.sleep(0.1)
    served.health.leave()
    async with asyncio.timeout(2):
        assert (await watching(served).read()).status == HealthCheckResponse.NOT_SERVING
    assert not raw.done()
    await raw
