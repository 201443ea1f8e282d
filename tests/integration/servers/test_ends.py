"""How a server ends: what is under way does first, and nothing new begins."""

import asyncio
import threading
import time
from typing import Any

import pytest
from google.protobuf.wrappers_pb2 import BytesValue
from grpc import StatusCode

from pkg.grpc.servers.make import ServerKind, make_server
from tests.integration.servers.served import KINDS, SERVICE, Served, outcome, serving, until


async def test_what_is_under_way_ends_first(served: Served) -> None:
    """Its client gets the answer; whoever comes meanwhile is turned away."""
    waiting = asyncio.ensure_future(served.call("wait"))
    await until(lambda: served.service.begun == 1)
    stopping = asyncio.create_task(served.server.stop(20))
    async with asyncio.timeout(10):
        while (await outcome(served.call("echo", timeout=0.5)))[0] is StatusCode.OK:
            await asyncio.sleep(0.01)
    assert not stopping.done()
    served.service.may_end.set()
    assert (await waiting).value == b"x"
    await stopping


async def test_clients_are_cut_off_after_a_while(served: Served) -> None:
    """A handler that answers once runs on to its end, which the server's waits for."""
    call, stream = served.call("wait"), served.talk("converse")
    await stream.write(BytesValue(value=b"1"))
    await stream.read()
    await until(lambda: served.service.begun == 2)
    stopping = asyncio.create_task(served.server.stop(0.2))
    codes = {(await outcome(one))[0] for one in (call, stream)}
    assert codes <= {StatusCode.UNAVAILABLE, StatusCode.CANCELLED}
    await until(lambda: served.service.ended == 1)  # the stream
    await until(lambda: served.abandoned == [f"/{SERVICE}/wait"])
    assert not stopping.done()
    served.service.may_end.set()
    await stopping
    assert (served.service.ended, served.service.seen) == (2, [False])


async def test_who_has_gone_is_waited_for(served: Served) -> None:
    """The server ends when the handler has, though nobody waits for its answer any more."""
    call = served.call("wait")
    await until(lambda: served.service.begun == 1)
    call.cancel()
    await until(lambda: len(served.abandoned) == 1)
    stopping = asyncio.create_task(served.server.stop(10))
    await asyncio.sleep(0.1)
    assert not stopping.done()
    served.service.may_end.set()
    await stopping
    assert served.service.ended == 1


async def test_a_connection_without_calls_does_not_hold_up_the_end(served: Served) -> None:
    """It is told to go, and goes."""
    assert (await served.call("echo")).value == b"x"
    began = time.monotonic()
    await served.server.stop(20)
    assert time.monotonic() - began < 5


async def test_it_is_stopped_more_than_once(served: Served) -> None:
    """By whoever is in more of a hurry."""
    call = served.talk("converse")
    await call.write(BytesValue(value=b"1"))
    await call.read()
    patient = asyncio.create_task(served.server.stop(60))
    await asyncio.sleep(0.05)
    await served.server.stop(None)
    await patient
    assert served.service.ended == 1


@KINDS
async def test_one_that_never_began(kind: ServerKind) -> None:
    """Ends all the same."""
    await make_server(kind).stop(1)


@KINDS
async def test_a_port_that_is_taken(kind: ServerKind) -> None:
    """Is not shared with whoever has it."""
    async with serving(kind) as served:
        other = make_server(kind, options=(("grpc.so_reuseport", 0),))
        with pytest.raises(RuntimeError):
            other.add_insecure_port(f"127.0.0.1:{served.port}")


@KINDS
async def test_a_port_that_is_held_for_several(kind: ServerKind) -> None:
    """Is shared if the options say so."""
    shared = (("grpc.so_reuseport", 1),)
    servers = [make_server(kind, options=shared) for _ in range(2)]
    port = servers[0].add_insecure_port("127.0.0.1:0")
    assert servers[1].add_insecure_port(f"127.0.0.1:{port}") == port


async def test_it_begins_again_elsewhere_while_another_ends() -> None:
    """Servers of one process do not disturb each other."""

    async def one(kind: ServerKind, number: int) -> int:
        async with serving(kind) as served:
            calls: list[Any] = [served.call("echo", b"%d" % number) for _ in range(20)]
            return sum([(await call).value == b"%d" % number for call in calls])

    kinds = list(ServerKind) * 5
    assert await asyncio.gather(*(one(kind, n) for n, kind in enumerate(kinds))) == [20] * 10


@KINDS
async def test_nothing_is_left_of_it(kind: ServerKind) -> None:
    """Neither a thread nor a task."""
    async with serving(kind) as served:
        await served.call("echo")
    threads, tasks = threading.active_count(), len(asyncio.all_tasks())
    for _ in range(5):
        async with serving(kind) as served:
            await served.call("echo")
    assert threading.active_count() <= threads
    assert len(asyncio.all_tasks()) <= tasks
