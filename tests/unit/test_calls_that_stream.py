"""Calls that stream are counted while they are open, and logged when they have ended."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc import aio

from pkg.grpc.calls import CallRecords
from pkg.grpc.guard import Context, Guard, note_caller
from pkg.grpc.servers.make import ServerKind
from pkg.observe.metrics import Metrics
from pkg.observe.request_log import RequestLog
from tests.servers import server_with
from tests.unit.test_calls import refuse

SERVICE = "test.Echo"
METHOD = (SERVICE, "Say")


async def answer(request: StringValue, _context: Context) -> AsyncIterator[StringValue]:
    """Say it once, and then do what the request says."""
    note_caller("mer_a", "0123456789abcdef")
    yield request
    match request.value:
        case "stay":
            await asyncio.Event().wait()
        case "fail":
            raise ValueError("4929123412341234")
        case _:
            pass


class Server:
    """A server, and what it has counted and logged."""

    def __init__(self, channel: aio.Channel, records: CallRecords, metrics: Metrics) -> None:
        self.metrics = metrics
        self.lines: list[str] = []
        self._channel = channel
        self._records = records

    def ask(self, text: str) -> Any:
        """Call."""
        call: Any = self._channel.unary_stream(
            f"/{SERVICE}/Say",
            request_serializer=StringValue.SerializeToString,
            response_deserializer=StringValue.FromString,
        )
        return call(StringValue(value=text), metadata=(("x-request-id", "r1"),))

    async def until_open(self, number: int) -> None:
        """Wait until so many are open."""
        async with asyncio.timeout(5):
            while self.metrics.values("paygate_streams_open").get(METHOD, 0) != number:
                await asyncio.sleep(0.001)

    def log(self) -> list[dict[str, Any]]:
        """Return the lines so far."""
        self._records.flush()
        return [json.loads(line) for text in self.lines for line in text.splitlines()]


@asynccontextmanager
async def served(kind: ServerKind) -> AsyncIterator[Server]:
    """Run a server with the guard."""
    metrics, lines = Metrics(), list[str]()
    records = CallRecords(metrics, log=RequestLog("test", lines.append))
    server = server_with(Guard(refuse, records=records), kind=kind)
    handler = grpc.unary_stream_rpc_method_handler(
        answer,
        request_deserializer=StringValue.FromString,
        response_serializer=StringValue.SerializeToString,
    )
    server.add_registered_method_handlers(SERVICE, {"Say": handler})
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        running = Server(channel, records, metrics)
        running.lines = lines
        yield running
    await server.stop(None)


@pytest.mark.parametrize("kind", list(ServerKind))
@pytest.mark.parametrize(("text", "code"), [("end", "OK"), ("fail", "INTERNAL")])
async def test_a_stream_is_counted_and_logged_as_it_ended(
    kind: ServerKind, text: str, code: str
) -> None:
    """One count and one line; how long it lasted is not among the times of calls."""
    async with served(kind) as server:
        call = server.ask(text)
        with pytest.raises(aio.AioRpcError) if code != "OK" else nullcontext():
            assert [reply.value async for reply in call] == [text]
        assert (await call.code()).name == code
        await server.until_open(0)
        assert server.metrics.values("grpc_server_handled_total") == {(*METHOD, code): 1}
        assert not server.metrics.values("grpc_server_handling_seconds_count")
        assert server.metrics.values("paygate_requests_in_flight") == {(): 0}
        (line,) = server.log()
    assert (line["method"], line["code"]) == (f"/{SERVICE}/Say", code)
    assert (line["request_id"], line["merchant_id"]) == ("r1", "mer_a")


@pytest.mark.parametrize("kind", list(ServerKind))
async def test_open_ones_are_shown(kind: ServerKind) -> None:
    """Until their clients have gone."""
    async with served(kind) as server:
        calls = [server.ask("stay") for _ in range(3)]
        for call in calls:
            await call.read()
        await server.until_open(3)
        for call in calls:
            call.cancel()
        await server.until_open(0)
        handled = server.metrics.values("grpc_server_handled_total")
        assert handled == {(*METHOD, "CANCELLED"): 3}
        assert len(server.log()) == 3
