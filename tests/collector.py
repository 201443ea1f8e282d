"""Where spans are sent in tests: an OTLP receiver over HTTP, in the test's own process."""

import gzip
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Recorded:
    """A span as it came, and what its process is called."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    is_error: bool
    attributes: Mapping[str, str]
    links: Sequence[str]


class Collector:
    """Remembers every span that it is sent, and the bytes that it came in."""

    def __init__(self) -> None:
        self.spans: list[Recorded] = []
        self.bodies: list[bytes] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process send its spans here, soon."""
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.url,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }

    def trace(self, trace_id: str) -> list[Recorded]:
        """Return the spans of a trace that have come so far."""
        return [span for span in tuple(self.spans) if span.trace_id == trace_id]

    def wait(
        self, met: Callable[[list[Recorded]], bool], *, seconds_max: float = 15.0
    ) -> list[Recorded]:
        """Wait until what has come meets a condition, and return it; fail if it never does."""
        deadline = time.monotonic() + seconds_max
        while not met(spans := list(self.spans)):
            assert time.monotonic() < deadline, f"after {seconds_max} s there is {spans}"
            time.sleep(POLL_SECONDS)
        return spans

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _take(self, body: bytes) -> None:
        self.bodies.append(body)
        request = ExportTraceServiceRequest.FromString(body)
        for group in request.resource_spans:
            service = _texts(group.resource.attributes)["service.name"]
            for scope in group.scope_spans:
                self.spans.extend(_recorded(service, span) for span in scope.spans)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # Envoy keeps its connection

            def do_POST(self) -> None:
                body = b"".join(self._parts())
                if self.headers["content-encoding"] == "gzip":
                    body = gzip.decompress(body)
                collector._take(body)
                reply = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def _parts(self) -> Iterator[bytes]:
                if self.headers["transfer-encoding"] != "chunked":  # as Envoy's are
                    yield self.rfile.read(int(self.headers["content-length"]))
                    return
                while length := int(self.rfile.readline(), 16):
                    yield self.rfile.read(length)
                    self.rfile.readline()
                self.rfile.readline()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        return Handler


def _recorded(service: str, span: Span) -> Recorded:
    return Recorded(
        service=service,
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        is_error=span.status.code == span.status.STATUS_CODE_ERROR,
        attributes=_texts(span.attributes),
        links=[link.trace_id.hex() for link in span.links],
    )


def _texts(attributes: Sequence[KeyValue]) -> dict[str, str]:
    return {one.key: _text(one.value) for one in attributes}


def _text(value: AnyValue) -> str:
    kind = value.WhichOneof("value")
    return "" if kind is None else str(getattr(value, kind))
