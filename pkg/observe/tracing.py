"""Traces, for whoever asks for them by OpenTelemetry's own variables.

What records them is `pkg.observe.spans`, and with it OpenTelemetry, which is imported only then.
Without it a tracer does nothing. Whatever goes into a span is named where the span is made: never a
card, a key, a request's own text or an exception's.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

from pkg.errors import MisconfiguredError

if TYPE_CHECKING:
    import asyncpg

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"

Attributes = Mapping[str, str | int | bool]


class TracedCall(Protocol):
    """A call to a server of ours, as a tracer looks at it (`pkg.grpc.calls.Call`).

    `span` is the tracer's own. `traceparent` is the call's place in its trace, once it has one.
    """

    method: str
    request_id: str
    metadata: dict[str, list[str]]
    merchant_id: str
    traceparent: str
    code: str
    reason: str
    span: Any


class Kind(Enum):
    """Whose work a span is: ours, or somebody's whom we ask."""

    INTERNAL = auto()
    CLIENT = auto()
    PRODUCER = auto()


class Span(Protocol):
    """Work that is under way. `traceparent` names it to others; empty if nothing is recorded."""

    traceparent: str

    def tell(self, name: str, value: str | int) -> None:
        """Add an attribute."""

    def fail(self, kind: str) -> None:
        """Say that it went wrong, and how, in a word that nobody else chose."""


class Tracer(Protocol):
    """Records what is done, and for whom."""

    def begin(self, call: TracedCall) -> None:
        """Begin a call to a server of ours, in the trace that it came with; `end` has to follow."""

    def end(self, call: TracedCall, payment_id: str) -> None:
        """End it, with what became of it."""

    def span(
        self,
        name: str,
        *,
        kind: Kind = Kind.INTERNAL,
        attributes: Attributes | None = None,
        parent: str | None = None,
        serves: Sequence[object] = (),
    ) -> AbstractContextManager[Span]:
        """Record what is done in the block.

        Args:
            name: Of the work, one of few.
            kind: Whose work it is.
            attributes: More about it.
            parent: A `traceparent`, empty for a trace of its own; None for what is under way here.
            serves: What is under way for others (see `here`) that this is done for, all at once.
                It becomes part of the first, and refers to the others.
        """

    def here(self) -> object:
        """Return what is under way here."""

    def watch(self, connection: "asyncpg.Connection[Any]") -> None:
        """Record the statements of a connection."""


class _Nothing:
    """A span that nobody records."""

    traceparent = ""

    def tell(self, name: str, value: str | int) -> None:
        """Add nothing."""

    def fail(self, kind: str) -> None:
        """Say nothing."""

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *_: object) -> None:
        """Hide no exception."""


NOTHING = _Nothing()


class Untraced:
    """A tracer that records nothing."""

    def begin(self, call: TracedCall) -> None:
        """Record nothing."""

    def end(self, call: TracedCall, payment_id: str) -> None:
        """Record nothing."""

    def span(
        self,
        name: str,  # noqa: ARG002  # the signature is the protocol's, here and below
        *,
        kind: Kind = Kind.INTERNAL,  # noqa: ARG002
        attributes: Attributes | None = None,  # noqa: ARG002
        parent: str | None = None,  # noqa: ARG002
        serves: Sequence[object] = (),  # noqa: ARG002
    ) -> AbstractContextManager[Span]:
        """Record nothing."""
        return NOTHING

    def here(self) -> object:
        """Return nothing."""
        return None

    def watch(self, connection: "asyncpg.Connection[Any]") -> None:
        """Record nothing."""


UNTRACED = Untraced()


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Tell whether traces are to be sent anywhere.

    Raises:
        MisconfiguredError: They are to be sent by a protocol that is not spoken here.
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp").strip() == "none":
        return False
    if not any(environment.get(name) for name in _ENDPOINTS):
        return False
    protocol = next(filter(None, map(environment.get, _PROTOCOLS)), PROTOCOL)
    if protocol != PROTOCOL:
        raise MisconfiguredError(f"OTEL_EXPORTER_OTLP_PROTOCOL can only be {PROTOCOL}")
    return True


def tracer_of(service: str, environment: Mapping[str, str]) -> Tracer | None:
    """Return what records the spans of this process; None if nobody wants them.

    Args:
        service: What the process is called in traces, unless `OTEL_SERVICE_NAME` says otherwise.
        environment: Where OpenTelemetry's variables are.

    Raises:
        MisconfiguredError: See `is_wanted`.
    """
    if not is_wanted(environment):
        return None
    from pkg.observe.spans import recorder  # noqa: PLC0415  # with it comes all of OpenTelemetry

    return recorder(service)
