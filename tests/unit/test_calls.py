"""Calls to a real gRPC server are counted and logged as they ended."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc import aio
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub, add_HealthServicer_to_server

from pkg.errors import DependencyUnavailableError
from pkg.grpc.calls import CallRecords
from pkg.grpc.guard import Context, Guard, add_reply_header, note_caller, note_payment
from pkg.grpc.health_checks import HealthChecks
from pkg.grpc.limits import Gate
from pkg.grpc.refusals import Refusal
from pkg.observe.metrics import Metrics
from pkg.observe.request_log import RequestLog
from tests.servers import serve_unary, server_with

SERVICE = "test.Echo"
REFUSED = Refusal(code=grpc.StatusCode.ABORTED, reason="IDEMPOTENCY_IN_FLIGHT", message="no")


def refuse(problem: Exception) -> Refusal | None:
    """Refuse what is refused, and take the rest for a bug."""
    return REFUSED if isinstance(problem, DependencyUnavailableError) else None


async def answer(request: StringValue, context: Context) -> StringValue | bytes:
    """Do what the request says."""
    note_caller("mer_a", "0123456789abcdef")
    if request.value.startswith("hang"):
        while not context.cancelled():
            await asyncio.sleep(0.001)
    match request.value.removeprefix("hang and "):
        case "refuse":
            raise DependencyUnavailableError
        case "fail":
            raise ValueError("4929123412341234")
        case "replay":
            add_reply_header("idempotent-replayed", "true")
        case "bytes":
            note_payment("pay_a")
            return StringValue(value="as they are").SerializeToString()
        case _:
            pass
    return request


class Server:
    """A server, and what it has counted and logged."""

    def __init__(self, channel: aio.Channel, records: CallRecords, metrics: Metrics) -> None:
        self.metrics = metrics
        self.lines: list[str] = []
        self._channel = channel
        self._records = records

    async def ask(
        self, text: str, *, service: str = SERVICE, transcoded: bool = False, **options: Any
    ) -> Any:
        """Call, and return the reply when the call has ended here too: the client knows first."""
        call: Any = self._channel.unary_unary(
            f"/{service}/Say",
            request_serializer=StringValue.SerializeToString,
            response_deserializer=StringValue.FromString,
        )
        try:
            metadata = (("x-request-id", "r1"), *[("x-transcoded", "1")] * transcoded)
            return await call(StringValue(value=text), metadata=metadata, **options)
        finally:
            async with asyncio.timeout(5):
                while self.metrics.values("paygate_requests_in_flight") != {(): 0}:
                    await asyncio.sleep(0.001)

    def log(self) -> list[dict[str, Any]]:
        """Return the lines so far."""
        self._records.flush()
        return [json.loads(line) for text in self.lines for line in text.splitlines()]

    def handled(self, code: str) -> float:
        """Return how many calls ended so."""
        return self.metrics.values("grpc_server_handled_total").get((SERVICE, "Say", code), 0)


def payment_id(request: object, _reply: object) -> str:
    """Take what was said for the payment."""
    return getattr(request, "value", "")


@asynccontextmanager
async def served(gate: Gate | None = None) -> AsyncIterator[Server]:
    """Run a server with the guard."""
    metrics, lines = Metrics(), list[str]()
    log = RequestLog("test", lines.append)
    records = CallRecords(metrics, log=log, payment_id=payment_id)
    guard = Guard(refuse, gate, records)
    server = server_with(guard, abandoned=records.abandoned)
    for service in (SERVICE, "grpc.health.v1.Health"):
        serve_unary(server, service, "Say", answer, StringValue)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        running = Server(channel, records, metrics)
        running.lines = lines
        yield running
    await server.stop(None)


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        ("hello", "OK", ""),
        ("refuse", "ABORTED", "IDEMPOTENCY_IN_FLIGHT"),
        ("fail", "INTERNAL", "INTERNAL"),
    ],
)
async def test_a_call_is_counted_and_logged_as_it_ended(text: str, code: str, reason: str) -> None:
    """One call is one count, one duration and one line, with its merchant, reason and payment."""
    async with served() as server:
        with pytest.raises(aio.AioRpcError) if reason else nullcontext():
            await server.ask(text)
        assert server.handled(code) == 1
        seconds = server.metrics.values("grpc_server_handling_seconds_count")
        assert seconds == {(SERVICE, "Say"): 1}
        (line,) = server.log()
    assert line["method"] == f"/{SERVICE}/Say"
    assert (line["code"], line["reason"]) == (code, reason)
    assert (line["request_id"], line["merchant_id"]) == ("r1", "mer_a")
    assert (line["key_id"], line["address"]) == ("0123456789abcdef", "127.0.0.1")
    assert line["payment_id"] == text


async def test_a_reply_may_be_bytes() -> None:
    """They are sent as they are, and the payment is the one that the handler has noted."""
    async with served() as server:
        assert (await server.ask("bytes")).value == "as they are"
        (line,) = server.log()
    assert line["payment_id"] == "pay_a"


async def test_a_client_that_hangs_up_is_counted_as_that() -> None:
    """Its call runs on, counts as abandoned, and ends as CANCELLED."""
    async with served() as server:
        with pytest.raises(aio.AioRpcError):
            await server.ask("hang", timeout=0.2)
        assert server.handled("CANCELLED") == 1
        abandoned = server.metrics.values("paygate_calls_abandoned_total")
        assert abandoned == {(SERVICE, "Say"): 1}
        assert server.metrics.values("paygate_requests_in_flight") == {(): 0}
        (line,) = server.log()
    assert (line["code"], line["payment_id"]) == ("CANCELLED", "hang")


@pytest.mark.parametrize(("text", "code"), [("refuse", "ABORTED"), ("replay", "CANCELLED")])
async def test_who_hung_up_before_the_answer_leaves_no_traceback(
    caplog: pytest.LogCaptureFixture, text: str, code: str
) -> None:
    """What could not be sent any more is no fault: the call is counted, and nothing is logged."""
    async with served() as server:
        with pytest.raises(aio.AioRpcError):
            await server.ask(f"hang and {text}", transcoded=True, timeout=0.2)
        assert server.handled(code) == 1
    assert [record.getMessage() for record in caplog.records if record.levelno > logging.INFO] == []


async def test_what_is_shed_is_counted() -> None:
    """What is refused as too much counts as shed, and as any other call too."""
    async with served(Gate(0)) as server:
        with pytest.raises(aio.AioRpcError):
            await server.ask("hello")
        assert server.metrics.values("paygate_requests_shed_total") == {("Say",): 1}
        assert server.handled("UNAVAILABLE") == 1
        assert [line["reason"] for line in server.log()] == ["OVERLOADED"]


@pytest.mark.parametrize(("text", "outcome"), [("replay", "replayed"), ("refuse", "in_flight")])
async def test_idempotency_is_counted(text: str, outcome: str) -> None:
    """Stored replies and keys that are in use are told apart."""
    async with served() as server:
        with pytest.raises(aio.AioRpcError) if text == "refuse" else nullcontext():
            await server.ask(text)
        counted = server.metrics.values("paygate_idempotency_total")
    assert {labels: count for labels, count in counted.items() if count} == {(outcome,): 1}


async def test_health_checks_are_not_logged() -> None:
    """They are counted like any call, and leave no line."""
    async with served() as server:
        await server.ask("hello", service="grpc.health.v1.Health")
        assert server.log() == []
        counted = server.metrics.values("grpc_server_handled_total")
    assert counted == {("grpc.health.v1.Health", "Say", "OK"): 1}


async def test_whose_health_is_asked() -> None:
    """A service that is there serves, another one is NOT_FOUND; and counts as that."""
    metrics = Metrics()
    server = server_with(Guard(refuse, records=CallRecords(metrics)))
    add_HealthServicer_to_server(HealthChecks({SERVICE}), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub: Any = HealthStub(channel)
        reply = await stub.Check(HealthCheckRequest(service=SERVICE))
        assert reply.status == HealthCheckResponse.SERVING
        with pytest.raises(aio.AioRpcError) as unknown:
            await stub.Check(HealthCheckRequest(service="test.Ech"))
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND
    await server.stop(None)
    name = "grpc.health.v1.Health"
    counted = metrics.values("grpc_server_handled_total")
    assert counted == {(name, "Check", "OK"): 1, (name, "Check", "NOT_FOUND"): 1}
