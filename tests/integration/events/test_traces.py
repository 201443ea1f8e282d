"""What a relay does with an event belongs to the trace of the request that made it."""

from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pkg.observe.spans import Recorder
from pkg.process.mode import Mode
from pkg.secret import Secret
from services.events.deliver import Deliverer
from services.events.nats_bus import NatsBus
from services.events.relay import Relay
from services.payments.domain.event import Origin
from tests.integration.events.desk import Desk, opened
from tests.integration.events.nats_server import nats_running
from tests.integration.events.receiver import receiving

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
ORIGIN = Origin("r1", f"00-{TRACE_ID}-{SPAN_ID}-01")


@pytest.fixture
async def desk(payments_database_url: str) -> AsyncIterator[Desk]:
    """A desk on an empty database."""
    async with opened(payments_database_url) as desk:
        yield desk


def parent_of(span: ReadableSpan) -> str:
    """Return the id of a span's parent, or nothing."""
    return f"{span.parent.span_id:016x}" if span.parent else ""


async def test_a_published_event_carries_the_trace(
    desk: Desk, recorder: Recorder, spans: InMemorySpanExporter, tmp_path: Path
) -> None:
    """In a header of the bus, for subscribers that trace; the request's id is in the message."""
    await desk.authorized(origin=ORIGIN)
    async with nats_running(tmp_path) as server:
        bus = NatsBus(Secret(server.url), timeout_seconds=1)
        relay = Relay(desk.pool, bus, tracer=recorder)
        while await relay.run_once():
            pass
        await bus.close()
        client = await nats.connect(server.url, allow_reconnect=False)
        message = await client.jetstream().get_msg("PAYGATE_PAYMENTS", 1)
        await client.close()

    (published,) = spans.get_finished_spans()
    assert (published.name, parent_of(published)) == ("publish", SPAN_ID)
    assert published.context is not None
    assert message.headers is not None
    assert message.headers["traceparent"] == (f"00-{TRACE_ID}-{published.context.span_id:016x}-01")


@pytest.mark.parametrize(
    ("origin", "parent"), [(ORIGIN, SPAN_ID), (Origin("r1"), ""), (Origin(), "")]
)
async def test_an_attempt_is_part_of_the_trace(
    desk: Desk, recorder: Recorder, spans: InMemorySpanExporter, origin: Origin, parent: str
) -> None:
    """Of the request's, or of one of its own where the request had none; a failure is an error."""
    deliverer = Deliverer(desk.pool, desk.box, Mode.SANDBOX, tracer=recorder)
    async with receiving() as receiver:
        await desk.endpoint(receiver.url)
        await desk.endpoint("http://127.0.0.1:9/")
        await desk.authorized(origin=origin)
        await desk.relay.run_once()
        assert await deliverer.run_once() == 2
        (received,) = receiver.received
    await deliverer.close()

    tried = spans.get_finished_spans()
    assert {parent_of(span) for span in tried} == {parent}
    told = sorted((dict(span.attributes or {}) for span in tried), key=str)
    assert {span["paygate.attempt"] for span in told} == {1}
    assert {span.get("paygate.request_id", "") for span in told} == {origin.request_id}
    assert sorted(str(span.get("error.type", "")) for span in told) == ["", "connection refused"]
    assert "traceparent" not in {name.lower() for name in received.headers}
