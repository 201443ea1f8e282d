"""Spans by OpenTelemetry's SDK, sent by OTLP over HTTP. Imported only where traces are wanted.

Names and attributes follow OpenTelemetry's semantic conventions. `tracestate` is not taken over: it
is free text of strangers, and would stand in every span.
"""

import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import asyncpg
import grpc
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from pkg.observe.health import HEALTH
from pkg.observe.tracing import Attributes, Kind, TracedCall

# What is the server's own fault; for a client's mistake the span is no error.
SERVER_ERRORS = frozenset(
    {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS"}
)
_KINDS = {
    Kind.INTERNAL: trace.SpanKind.INTERNAL,
    Kind.CLIENT: trace.SpanKind.CLIENT,
    Kind.PRODUCER: trace.SpanKind.PRODUCER,
}
_PROPAGATOR = TraceContextTextMapPropagator()
# W3C Trace Context, version 0, with the flag "sampled" not set.
_UNRECORDED = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f][02468ace]\Z")
_ERROR = trace.Status(trace.StatusCode.ERROR)
_COMMENTS = re.compile(r"--[^\n]*")
_WRITTEN = re.compile(r"\b(INSERT INTO|UPDATE|DELETE FROM)\s+(?!OF\b|SKIP\b)(\w+)")
_READ = re.compile(r"\b(FROM)\s+(?!unnest\b|sandbox_clocks\b)(\w+)")
# How long the end of a process may wait for a collector.
END_MILLISECONDS_MAX = 2_000


class _Sender(BatchSpanProcessor):
    """Sends what is left when the process ends, but not for longer than that.

    By itself it would try again and again while the collector is away, beyond any drain.
    """

    def shutdown(self) -> None:
        """Send what is left, and give up what does not go."""
        self._batch_processor.shutdown(END_MILLISECONDS_MAX)  # its own takes no time


def recorder(service: str) -> "Recorder":
    """Return what records spans and sends them, as OpenTelemetry's variables say."""
    named = Resource({"service.name": service})
    provider = TracerProvider(resource=named.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(_Sender(OTLPSpanExporter()))
    sampler = os.environ.get("OTEL_TRACES_SAMPLER", "").strip().lower()
    is_left_to_callers = sampler.startswith("parentbased") or not sampler
    return Recorder(provider.get_tracer("paygate"), is_left_to_callers=is_left_to_callers)


class Recorder:
    """A tracer; see `pkg.observe.tracing.Tracer`.

    Args:
        tracer: OpenTelemetry's.
        is_left_to_callers: Whether a call that its caller does not record is not recorded here
            either. Then OpenTelemetry, which would find that out for each span anew, is not asked.
    """

    def __init__(self, tracer: trace.Tracer, *, is_left_to_callers: bool = True) -> None:
        self._tracer = tracer
        self._is_left_to_callers = is_left_to_callers

    def begin(self, call: TracedCall) -> None:
        """Begin a call to a server of ours, in the trace that it came with."""
        if call.method.startswith(HEALTH):
            return
        given = "".join(call.metadata.get("traceparent", ()))
        if (unrecorded := self._unrecorded(given)) is not None:
            call.traceparent = given
            call.span = (unrecorded, contexts.attach(trace.set_span_in_context(unrecorded)))
            return
        service, _, method = call.method.removeprefix("/").partition("/")
        span = self._tracer.start_span(
            f"{service}/{method}",
            context=_parent(given),
            kind=trace.SpanKind.SERVER,
            attributes={
                "rpc.system": "grpc",
                "rpc.service": service,
                "rpc.method": method,
                "paygate.request_id": call.request_id,
            },
        )
        call.traceparent = _traceparent(span)
        call.span = (span, contexts.attach(trace.set_span_in_context(span)))

    def end(self, call: TracedCall, payment_id: str) -> None:
        """End it, with what became of it."""
        if call.span is None:
            return
        span, token = call.span
        if not span.is_recording():
            contexts.detach(token)
            return
        number: int = grpc.StatusCode[call.code].value[0]
        told = {
            "rpc.grpc.status_code": number,
            "error.type": call.reason or (call.code if number else ""),
            "paygate.payment_id": payment_id,
            "paygate.merchant_id": call.merchant_id,
        }
        span.set_attributes({name: value for name, value in told.items() if value != ""})
        if call.code in SERVER_ERRORS:
            span.set_status(_ERROR)
        contexts.detach(token)
        span.end()

    @contextmanager
    def span(
        self,
        name: str,
        *,
        kind: Kind = Kind.INTERNAL,
        attributes: Attributes | None = None,
        parent: str | None = None,
        serves: Sequence[object] = (),
    ) -> Iterator["_Span"]:
        """Record what is done in the block; of an exception nothing but its type."""
        served = [one for one in serves if isinstance(one, trace.SpanContext) and one.is_valid]
        # If anybody's trace is recorded, this belongs into it.
        served.sort(key=lambda one: not one.trace_flags.sampled)
        unrecorded = self._of_the_unrecorded(parent, served)
        if unrecorded is not None:
            yield _Span(unrecorded)
            return
        if served:
            within = trace.set_span_in_context(trace.NonRecordingSpan(served[0]))
        else:
            within = contexts.get_current() if parent is None else _parent(parent)
        with self._tracer.start_as_current_span(
            name,
            context=within,
            kind=_KINDS[kind],
            attributes=attributes,
            links=[trace.Link(one) for one in served[1:]],
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            one = _Span(span)
            try:
                yield one
            except BaseException as problem:
                one.fail(type(problem).__name__)
                raise

    def _unrecorded(self, traceparent: str) -> trace.Span | None:
        """Return what stands for a caller's span that is not recorded; None for any other."""
        found = _UNRECORDED.match(traceparent) if self._is_left_to_callers else None
        if found is None:
            return None
        within = trace.SpanContext(int(found[1], 16), int(found[2], 16), is_remote=True)
        return trace.NonRecordingSpan(within) if within.is_valid else None

    def _of_the_unrecorded(
        self, parent: str | None, served: Sequence[trace.SpanContext]
    ) -> trace.Span | None:
        """Return what stands for a span in a trace that is not recorded; None for any other."""
        if not self._is_left_to_callers:
            return None
        if served:
            first = served[0]
            return None if first.trace_flags.sampled else trace.NonRecordingSpan(first)
        if parent is not None:
            return self._unrecorded(parent)
        here = trace.get_current_span()
        is_one = here.get_span_context().is_valid and not here.is_recording()
        return here if is_one else None

    def here(self) -> object:
        """Return what is under way here."""
        return trace.get_current_span().get_span_context()

    def watch(self, connection: "asyncpg.Connection[Any]") -> None:
        """Record the statements of a connection: their kind and table, never their arguments."""
        connection.add_query_logger(self._ended)

    def _ended(self, statement: asyncpg.connection.LoggedQuery) -> None:
        """Record a statement that was made for something, after the fact; this costs it no time."""
        here = trace.get_current_span()
        if not here.get_span_context().is_valid:
            return  # a relay that looks for work, ten times a second
        if self._is_left_to_callers and not here.is_recording():
            return
        now = time.time_ns()
        summary = _summary(statement.query)
        span = self._tracer.start_span(
            summary,
            kind=trace.SpanKind.CLIENT,
            attributes={"db.system.name": "postgresql", "db.query.summary": summary},
            start_time=now - int(statement.elapsed * 1e9),
        )
        if statement.exception is not None:
            _Span(span).fail(type(statement.exception).__name__)
        span.end(now)


class _Span:
    """A span that is recorded; see `pkg.observe.tracing.Span`."""

    __slots__ = ("_span", "traceparent")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self.traceparent = _traceparent(span)

    def tell(self, name: str, value: str | int) -> None:
        """Add an attribute."""
        self._span.set_attribute(name, value)

    def fail(self, kind: str) -> None:
        """Say that it went wrong, and how."""
        self._span.set_attribute("error.type", kind)
        self._span.set_status(_ERROR)


def _parent(traceparent: str) -> contexts.Context:
    """Return what a span is made in that continues this; by itself if it is no `traceparent`."""
    return _PROPAGATOR.extract({"traceparent": traceparent}, contexts.Context())


def _traceparent(span: trace.Span) -> str:
    one = span.get_span_context()
    return f"00-{one.trace_id:032x}-{one.span_id:016x}-{int(one.trace_flags):02x}"


@lru_cache(maxsize=500)
def _summary(statement: str) -> str:
    """Return what a statement does first, as in `INSERT INTO payments`, or else what it reads."""
    bare = _COMMENTS.sub("", statement)
    found = _WRITTEN.search(bare) or _READ.search(bare)
    if found is None:
        return "".join(bare.split()[:1]).rstrip(";").upper() or "STATEMENT"
    return f"{'SELECT' if found[1] == 'FROM' else found[1]} {found[2]}"
