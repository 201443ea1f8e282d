"""Traces: who gets any, what a span says, and what it never does."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from pkg.errors import MisconfiguredError
from pkg.grpc.calls import Call
from pkg.observe.spans import Recorder, _summary
from pkg.observe.tracing import NOTHING, UNTRACED, Kind, is_wanted, tracer_of
from pkg.postgres.group_commit import GroupCommit
from tools.stack.settings import REPOSITORY

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
METHOD = "/paygate.payments.v1.PaymentService/Authorize"
TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{SPAN_ID}-01"


def attributes(span: ReadableSpan) -> Mapping[str, object]:
    """Return a span's attributes."""
    return dict(span.attributes or {})


def id_of(span: ReadableSpan | None) -> str:
    """Return the id of a span's trace."""
    assert span is not None
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "a", "OTEL_TRACES_SAMPLER": "always_on"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, True),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, False),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
    ],
)
def test_traces_are_for_who_names_an_endpoint(environment: dict[str, str], wanted: bool) -> None:
    """OpenTelemetry's own variables decide, and without an endpoint nothing is recorded."""
    assert is_wanted(environment) is wanted


@pytest.mark.parametrize("protocol", ["grpc", "http/json"])
def test_another_protocol_is_refused(protocol: str) -> None:
    """Whoever asks for what is not spoken here is told so at the start."""
    with pytest.raises(MisconfiguredError, match="http/protobuf"):
        is_wanted({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol})


def test_without_an_endpoint_opentelemetry_is_not_even_imported() -> None:
    """All that a process imports, and a tracer that nobody asked for: no OpenTelemetry."""
    program = (
        "import sys\n"
        "import services.payments.__main__, services.acquirer.__main__, services.events.__main__\n"
        "from pkg.observe.tracing import tracer_of\n"
        "assert tracer_of('a', {}) is None\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])\n"
    )
    paths = f"{REPOSITORY}:{REPOSITORY / 'build' / 'python'}"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "[]\n"
    assert tracer_of("a", {}) is None


def test_an_untraced_span_does_nothing() -> None:
    """It can be told what it likes, and hides no exception."""
    with UNTRACED.span("work") as span:
        span.tell("a", 1)
        span.fail("a")
    assert span is NOTHING
    with pytest.raises(KeyError), UNTRACED.span("work"):
        raise KeyError


UNRECORDED = TRACEPARENT[:-2] + "00"


def test_what_the_caller_does_not_record_is_passed_on_and_not_recorded(
    recorder: Recorder, spans: InMemorySpanExporter
) -> None:
    """Neither the call nor what is done for it, here or in a group; whoever is asked hears so."""
    call = Call(METHOD, "r1", {"traceparent": [UNRECORDED]})
    recorder.begin(call)
    with recorder.span("inside") as inside:
        assert inside.traceparent == UNRECORDED
        here = recorder.here()
    recorder.end(call, "pay_a")
    with recorder.span("commit", serves=[here]), recorder.span("deliver", parent=UNRECORDED):
        pass
    assert call.traceparent == UNRECORDED
    assert not spans.get_finished_spans()
    with recorder.span("afterwards"):
        pass
    assert [span.name for span in spans.get_finished_spans()] == ["afterwards"]


def test_who_records_by_themselves_records_what_the_caller_does_not(
    recorder: Recorder, spans: InMemorySpanExporter
) -> None:
    """OTEL_TRACES_SAMPLER without `parentbased` decides here."""
    provider = TracerProvider(sampler=ALWAYS_ON)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    recorder = Recorder(provider.get_tracer("test"), is_left_to_callers=False)
    call = Call(METHOD, "r1", {"traceparent": [UNRECORDED]})
    recorder.begin(call)
    recorder.end(call, "")
    assert len(spans.get_finished_spans()) == 1


def test_a_call_goes_on_with_the_trace_that_it_came_with(
    recorder: Recorder, spans: InMemorySpanExporter
) -> None:
    """Its span is a child of the caller's, and what is done meanwhile a child of its own."""
    call = Call(METHOD, "r1", {"traceparent": [TRACEPARENT], "tracestate": ["pan=4"]})
    recorder.begin(call)
    with recorder.span("inside"):
        pass
    call.merchant_id = "mer_a"
    recorder.end(call, "pay_a")

    inside, served = spans.get_finished_spans()
    assert id_of(served) == id_of(inside) == TRACE_ID
    assert served.parent is not None
    assert f"{served.parent.span_id:016x}" == SPAN_ID
    assert inside.parent == served.context
    assert served.kind is trace.SpanKind.SERVER
    assert served.context is not None
    assert not served.context.trace_state
    assert call.traceparent == f"00-{TRACE_ID}-{served.context.span_id:016x}-01"
    assert served.name == METHOD.removeprefix("/")
    assert attributes(served) == {
        "rpc.system": "grpc",
        "rpc.service": "paygate.payments.v1.PaymentService",
        "rpc.method": "Authorize",
        "rpc.grpc.status_code": 0,
        "paygate.request_id": "r1",
        "paygate.payment_id": "pay_a",
        "paygate.merchant_id": "mer_a",
    }
    assert not trace.get_current_span().get_span_context().is_valid


@pytest.mark.parametrize(
    ("metadata", "count"),
    [
        ([], 0),
        (["4242424242424242"], 1),
        ([TRACEPARENT, TRACEPARENT], 2),
        ([f"00-{'0' * 32}-{SPAN_ID}-01"], 1),
    ],
)
def test_what_is_no_traceparent_begins_a_trace(
    recorder: Recorder, spans: InMemorySpanExporter, metadata: list[str], count: int
) -> None:
    """It is ignored, as W3C asks, and not repeated."""
    assert len(metadata) == count
    call = Call(METHOD, "r1", {"traceparent": metadata} if metadata else {})
    recorder.begin(call)
    recorder.end(call, "")
    (span,) = spans.get_finished_spans()
    assert span.parent is None
    assert "4242" not in str(attributes(span))


@pytest.mark.parametrize(
    ("code", "number", "is_error"),
    [
        ("OK", 0, False),
        ("CANCELLED", 1, False),
        ("UNKNOWN", 2, True),
        ("INVALID_ARGUMENT", 3, False),
        ("DEADLINE_EXCEEDED", 4, True),
        ("NOT_FOUND", 5, False),
        ("FAILED_PRECONDITION", 9, False),
        ("UNIMPLEMENTED", 12, True),
        ("INTERNAL", 13, True),
        ("UNAVAILABLE", 14, True),
        ("UNAUTHENTICATED", 16, False),
    ],
)
def test_only_the_servers_own_faults_are_errors(
    recorder: Recorder, spans: InMemorySpanExporter, code: str, number: int, is_error: bool
) -> None:
    """As the semantic conventions have it for servers."""
    call = Call(METHOD, "r1", {})
    recorder.begin(call)
    call.code = code
    recorder.end(call, "")
    (span,) = spans.get_finished_spans()
    assert attributes(span)["rpc.grpc.status_code"] == number
    assert (span.status.status_code is trace.StatusCode.ERROR) is is_error


def test_a_health_check_has_no_span(recorder: Recorder, spans: InMemorySpanExporter) -> None:
    """The edge asks every second."""
    call = Call("/grpc.health.v1.Health/Check", "r1", {})
    recorder.begin(call)
    recorder.end(call, "")
    assert spans.get_finished_spans() == ()


def test_of_an_exception_only_the_type_is_recorded(
    recorder: Recorder, spans: InMemorySpanExporter
) -> None:
    """Its text may hold what a client has sent."""
    with pytest.raises(ValueError, match="4242"), recorder.span("work"):
        raise ValueError("4242424242424242")
    (span,) = spans.get_finished_spans()
    assert attributes(span) == {"error.type": "ValueError"}
    assert span.status.description is None
    assert span.events == ()


async def test_a_group_refers_to_all_that_it_is_done_for(
    recorder: Recorder, spans: InMemorySpanExporter
) -> None:
    """It is part of one trace that is recorded, with a link to each of the others."""

    async def write(items: Sequence[str]) -> Sequence[str]:
        return items

    groups = GroupCommit(write, tracer=recorder, name="commit")
    results = []
    for name in ("a", "b", "c"):
        call = Call(METHOD, name, {})
        recorder.begin(call)
        results.append(asyncio.create_task(groups.result_of(name)))  # with the call under way
        recorder.end(call, "")
    assert await asyncio.gather(*results) == ["a", "b", "c"]

    *served, group = spans.get_finished_spans()
    assert group.name == "commit"
    assert attributes(group) == {"paygate.group": 3}
    assert id_of(group) == id_of(served[0])
    assert [f"{link.context.trace_id:032x}" for link in group.links] == [
        id_of(span) for span in served[1:]
    ]


@pytest.mark.parametrize(
    ("statement", "summary"),
    [
        ("-- Some FROM notes.\nSELECT p.* FROM payments p", "SELECT payments"),
        ("WITH a AS (SELECT * FROM unnest($1)) INSERT INTO cards SELECT", "INSERT INTO cards"),
        ("SELECT 1 FROM a FOR UPDATE OF a; UPDATE actions SET", "UPDATE actions"),
        ("BEGIN;", "BEGIN"),
        ("", "STATEMENT"),
    ],
)
def test_a_statement_is_named_by_what_it_does(statement: str, summary: str) -> None:
    """One of few names, and nothing of its arguments."""
    assert _summary(statement) == summary


def test_a_span_names_itself_to_others(recorder: Recorder, spans: InMemorySpanExporter) -> None:
    """What is sent along with a call; and an empty parent begins a trace."""
    with recorder.span("outer"), recorder.span("work", kind=Kind.CLIENT, parent="") as span:
        told = span.traceparent
    work, outer = spans.get_finished_spans()
    assert work.context is not None
    # 1 is for recorded, and 2 says that the id is random.
    assert told == f"00-{id_of(work)}-{work.context.span_id:016x}-03"
    assert work.parent is None
    assert id_of(work) != id_of(outer)
