"""Calls of one request and one reply: the same to a client, whichever server it is."""

import asyncio
import logging
from collections import Counter
from typing import Any

import grpc
import pytest
from grpc import StatusCode, aio
from structlog.testing import capture_logs

from pkg.grpc.servers.make import ServerKind
from tests.integration.servers.served import SECRET, SERVICE, Served, outcome, serving, until


async def test_a_request_is_answered(served: Served) -> None:
    """Whatever its size, as long as it is taken."""
    for size in (0, 1, 60_000):
        assert (await served.call("echo", bytes(size))).value == bytes(size)


async def test_metadata_go_both_ways(served: Served) -> None:
    """Several of one name, and bytes."""
    sent = (("m-a", "1"), ("m-a", "2"), ("m-b-bin", b"\x00\xff"))
    call = served.call("metadata", metadata=sent)
    assert (await call).value == repr(sorted(sent)).encode()
    assert set(await call.initial_metadata()) >= {("i-a", "1"), ("i-b-bin", b"\x00\xff")}
    assert set(await call.trailing_metadata()) >= {("t-a", "2"), ("t-b-bin", b"\xff\x00")}


async def test_who_calls_and_for_how_long(served: Served) -> None:
    """A handler knows the client's address, and its deadline if there is one."""
    assert (await served.call("about", timeout=None)).value == b"('ipv4', None)"
    peer, left = eval((await served.call("about", timeout=30)).value)  # noqa: S307  # our own
    assert peer == "ipv4"
    assert 25 < left <= 31


async def test_a_refusal_is_told_whole(served: Served) -> None:
    """With its text, whatever its letters, and its details; as headers, which REST can read."""
    call = served.call("refuse")
    assert await outcome(call) == (StatusCode.FAILED_PRECONDITION, "nö: ä%")
    names = [name for name, _ in await call.trailing_metadata()]
    assert {"x-request-id", "grpc-status-details-bin"} <= set(names)


@pytest.mark.parametrize("method", ["fail", "wrong"])
async def test_a_fault_tells_nothing(served: Served, method: str) -> None:
    """Neither an exception's text nor its type, and the next call is answered."""
    with capture_logs() as logs:
        code, details = await outcome(served.call(method))
    assert code is StatusCode.INTERNAL
    assert not {SECRET, "Error", "int"} & set(details.replace(".", " ").split())
    assert [log["event"] for log in logs] == ["unexpected error"]
    assert (await served.call("echo", b"y")).value == b"y"


async def test_what_there_is_not(served: Served) -> None:
    """A service, a method, and one that nobody has written."""
    for name in ("/test.Other/echo", f"/{SERVICE}/other", "missing", "/", "/a/b/c"):
        code, _ = await outcome(served.call(name))
        assert code is StatusCode.UNIMPLEMENTED, name


async def test_metadata_that_cannot_be_sent(served: Served) -> None:
    """The call fails, whatever it is told; others do not."""
    code, _ = await outcome(served.call("unfit", timeout=2))
    assert code is not StatusCode.OK
    assert (await served.call("echo", b"y")).value == b"y"


async def test_a_message_that_is_too_large(served: Served) -> None:
    """Below gRPC's bound it is our refusal, above gRPC's own, and either way the line stays."""
    code, details = await outcome(served.call("echo", bytes(100_000)))
    assert (code, details) == (StatusCode.INVALID_ARGUMENT, "The message is larger than 64 KiB.")
    code, _ = await outcome(served.call("echo", bytes(2 * 1024 * 1024)))
    assert code is StatusCode.RESOURCE_EXHAUSTED
    assert (await served.call("echo", b"y")).value == b"y"


@pytest.mark.parametrize("algorithm", [grpc.Compression.Gzip, grpc.Compression.Deflate])
async def test_a_compressed_request(served: Served, algorithm: grpc.Compression) -> None:
    """Is read."""
    sent = b"z" * 5_000
    assert (await served.call("echo", sent, compression=algorithm)).value == sent


async def test_a_deadline_ends_the_call_and_not_the_handler(served: Served) -> None:
    """It runs on and is counted; what it takes up is free when it has ended."""
    code, _ = await outcome(served.call("wait", timeout=0.1))
    assert code is StatusCode.DEADLINE_EXCEEDED
    await until(lambda: served.abandoned == [f"/{SERVICE}/wait"])
    served.service.may_end.set()
    await until(lambda: served.service.ended == 1)
    assert (served.service.cancelled, served.service.seen) == (0, [False])


@pytest.mark.parametrize("value", [b"done", b"refused", b"failed"])
async def test_a_client_that_hangs_up_ends_no_handler(
    served: Served, caplog: pytest.LogCaptureFixture, value: bytes
) -> None:
    """However the handler ends then, nobody is told and nothing is logged but a fault of ours."""
    call = served.call("wait", value)
    await until(lambda: served.service.begun == 1)
    call.cancel()
    await until(lambda: served.abandoned == [f"/{SERVICE}/wait"])
    with capture_logs() as logs:
        served.service.may_end.set()
        await until(lambda: served.service.ended == 1)
        assert (await served.call("echo", b"y")).value == b"y"
    assert (served.service.cancelled, served.service.seen) == (0, [False])
    faults = ["unexpected error"] if value == b"failed" else []
    assert [log["event"] for log in logs] == faults
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


async def test_many_at_once(served: Served) -> None:
    """Each gets its own answer, while others hang up and others run out of time."""
    served.service.may_end.clear()

    async def one(number: int) -> str:
        call = served.call(
            "wait" if number % 3 == 0 else "echo",
            b"%d" % number,
            # Who hangs up has time to: deadlines are kept by threads that wait for nobody.
            timeout=0.2 if number % 3 == 0 and number % 12 else 10,
        )
        if number % 12 == 0:
            asyncio.get_running_loop().call_later(0.1, call.cancel)
        try:
            return "answered" if (await call).value == b"%d" % number else "mixed up"
        except aio.AioRpcError as refused:
            return str(refused.code().name)
        except asyncio.CancelledError:
            return "CANCELLED"

    ended = Counter(await asyncio.gather(*(one(number) for number in range(600))))
    assert ended == {"answered": 400, "CANCELLED": 50, "DEADLINE_EXCEEDED": 150}
    begun = served.service.begun
    served.service.may_end.set()
    await until(lambda: served.service.ended == begun)


async def test_more_calls_than_there_may_be() -> None:
    """Are refused at once, and taken again when there is room."""
    for kind in ServerKind:
        async with serving(kind, calls_max=2) as served:
            waiting: list[Any] = [asyncio.ensure_future(served.call("wait")) for _ in range(2)]
            await until(lambda: served.service.begun == 2)
            code, _ = await outcome(served.call("echo"))
            assert code is StatusCode.RESOURCE_EXHAUSTED
            served.service.may_end.set()
            await asyncio.gather(*waiting)
            assert (await served.call("echo")).value == b"x"
