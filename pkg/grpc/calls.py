"""What is counted, logged and traced of every call to a gRPC server of ours (`Guard`)."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from pkg.grpc.limits import Place
from pkg.grpc.refusals import Refusal
from pkg.observe.health import HEALTH
from pkg.observe.metrics import Counter, Histogram, Metrics
from pkg.observe.request_log import RequestLog

if TYPE_CHECKING:
    from pkg.observe.tracing import Tracer

OVERLOADED = "OVERLOADED"
REPLAYED = "idempotent-replayed"
# What the console says of itself, and what it only looks at: a page that is open asks all the time,
# and would drive out what a developer's own code has sent.
CLIENT, CONSOLE = "paygate-client", "console"
LOOKS = ("Get", "List", "Watch")
# Who reads the request log does not want to read that, nor how a listener asks all the time.
NOT_LOGGED = frozenset(
    f"/paygate.sandbox.v1.SandboxService/{name}"
    for name in ("ListRequests", "GetRequest", "TakeWebhooks", "AnswerWebhook")
)


@dataclass(slots=True)
class Call:
    """A call: what it carries, what its reply is to carry, and in the end what became of it.

    `code` is the name of its status, `reason` the refusal's, empty if there was none. `request` and
    `reply` are messages, once there are any; a reply may be one's bytes as well. `payment_id` is
    what the handler has noted, if it has. `traceparent` is its place in a trace, if it has one.
    `refusal` is what its client was told instead of a reply.
    `address` is where it comes from, as the edge says; `key_id` is of the API key that was good.
    `place` is what it takes up of the process, where that is bounded.
    """

    method: str
    request_id: str
    metadata: dict[str, list[str]] = field(repr=False)  # holds the API key
    headers: dict[str, str] = field(default_factory=dict)
    address: str = ""
    place: Place | None = field(default=None, repr=False)
    merchant_id: str = ""
    key_id: str = ""
    payment_id: str = ""
    traceparent: str = ""
    code: str = "OK"
    reason: str = ""
    request: object = field(default=None, repr=False)  # may hold a card
    reply: object = field(default=None, repr=False)
    refusal: Refusal | None = field(default=None, repr=False)
    span: Any = field(default=None, repr=False)  # the tracer's own


# When it began, in seconds since 1970; how many seconds it took; which payment it was about; it.
Ended: TypeAlias = tuple[float, float, str, Call]


class EndedCalls:
    """Calls that have ended and are to be logged; of too many the oldest are lost.

    What is not logged takes no room: a flood of calls without a key drives out nobody's.

    Args:
        most: How many may wait, with their messages.
        lost: Where those are counted that are lost.
    """

    def __init__(self, most: int, lost: Counter) -> None:
        self.waiting: deque[Ended] = deque(maxlen=most)
        self._lost = lost

    def add(self, call: Call, seconds: float, payment_id: str) -> None:
        """Have a call wait that has ended, after so long, if it is one for the log."""
        if not is_logged(call):
            return
        if len(self.waiting) == self.waiting.maxlen:
            self._lost.value += 1
        self.waiting.append((time.time() - seconds, seconds, payment_id, call))


def is_logged(call: Call) -> bool:
    """Tell whether a call is a merchant's, and one that a developer would look for."""
    if not call.merchant_id or call.method in NOT_LOGGED:
        return False
    if call.metadata.get(CLIENT) != [CONSOLE]:
        return True
    return not call.method.rpartition("/")[2].startswith(LOOKS)


class CallRecords:
    """Counts calls and logs them, in plain numbers and one line: a few µs of CPU for each.

    Args:
        metrics: Where they are counted.
        log: Where they are logged; None for nowhere.
        payment_id: Tells which payment a call was about, by its messages, if its handler has not
            noted it; the empty text for none.
        tracer: Where they are traced; None for nowhere.
        kept: Keeps each for the merchant to look at, with its seconds and the payment; None for
            nobody.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        log: RequestLog | None = None,
        payment_id: Callable[[object, object], str] | None = None,
        tracer: "Tracer | None" = None,
        kept: Callable[[Call, float, str], None] | None = None,
    ) -> None:
        self._log = log
        self._kept = kept
        self._tracer = tracer
        self._payment_id = payment_id
        self._under_way = 0
        self._streams: dict[str, int] = {}  # by method
        self._handled = metrics.counter(
            "grpc_server_handled_total",
            "Calls that have ended, by the code of their status.",
            ("grpc_service", "grpc_method", "grpc_code"),
        )
        self._handling = metrics.histogram(
            "grpc_server_handling_seconds",
            "How long calls took, from their message to their reply.",
            ("grpc_service", "grpc_method"),
        )
        self._shed = metrics.counter(
            "paygate_requests_shed_total",
            "Calls that were refused because too many were under way.",
            ("grpc_method",),
        )
        self._idempotency = metrics.counter(
            "paygate_idempotency_total",
            "Requests whose idempotency key was held: by the same request that has ended"
            " (replayed) or still ran (in_flight), or by another one (reused).",
            ("outcome",),
        )
        self._abandoned = metrics.counter(
            "paygate_calls_abandoned_total",
            "Calls whose client hung up, or whose deadline passed, before they had ended. They ran"
            " on to their end.",
            ("grpc_service", "grpc_method"),
        )
        self._show_open(metrics)
        self._replayed = self._idempotency.of("replayed")
        self._keys = {
            "IDEMPOTENCY_KEY_REUSED": self._idempotency.of("reused"),
            "IDEMPOTENCY_IN_FLIGHT": self._idempotency.of("in_flight"),
        }
        self._handled_of: dict[tuple[str, str], Counter] = {}
        self._handling_of: dict[str, Histogram] = {}

    def _show_open(self, metrics: Metrics) -> None:
        metrics.reading(
            "paygate_requests_in_flight",
            "Calls under way.",
            (),
            lambda: [((), self._under_way)],
        )
        metrics.reading(
            "paygate_streams_open",
            "Calls under way that stream.",
            ("grpc_service", "grpc_method"),
            lambda: [(_parts(method), number) for method, number in self._streams.items()],
        )

    def begin(self, call: Call) -> None:
        """Count a call that begins; `end` has to follow, in the same task."""
        self._under_way += 1
        if self._tracer:
            self._tracer.begin(call)

    def abandoned(self, method: str) -> None:
        """Count a call that runs on after its client has gone."""
        self._abandoned.of(*_parts(method)).inc()

    def end(self, call: Call, seconds: float) -> None:
        """Count, log and trace a call that has ended, after so long."""
        self._under_way -= 1
        method, reason = call.method, call.reason
        self._count(method, call.code)
        handling = self._handling_of.get(method)
        if handling is None:
            handling = self._handling_of[method] = self._handling.of(*_parts(method))
        handling.observe(seconds)
        if call.headers and REPLAYED in call.headers:
            self._replayed.value += 1
        if reason in self._keys:
            self._keys[reason].value += 1
        elif reason == OVERLOADED:
            self._shed.of(_parts(method)[1]).inc()
        if not method.startswith(HEALTH):
            self._tell(call, seconds)

    def _tell(self, call: Call, seconds: float) -> None:
        """Log, trace and keep a call that has ended."""
        payment_id = call.payment_id
        if not payment_id and self._payment_id:
            payment_id = self._payment_id(call.request, call.reply)
        if self._tracer:
            self._tracer.end(call, payment_id)
        if self._kept:
            self._kept(call, seconds, payment_id)
        self._note(call, seconds, payment_id)

    def opened(self, call: Call) -> None:
        """Count a call that streams; `closed` has to follow."""
        self._streams[call.method] = self._streams.get(call.method, 0) + 1

    def closed(self, call: Call, seconds: float) -> None:
        """Count and log a call that streamed, after so long.

        How long is in the log alone: a stream lasts as long as its client likes, and would stand
        beside calls that are waited for.
        """
        self._streams[call.method] -= 1
        self._count(call.method, call.code)
        if call.reason == OVERLOADED:
            self._shed.of(_parts(call.method)[1]).inc()
        if not call.method.startswith(HEALTH):
            self._note(call, seconds, call.payment_id)

    def _count(self, method: str, code: str) -> None:
        handled = self._handled_of.get((method, code))
        if handled is None:
            handled = self._handled.of(*_parts(method), code)
            self._handled_of[method, code] = handled
        handled.value += 1

    def _note(self, call: Call, seconds: float, payment_id: str) -> None:
        if self._log:
            self._log.add(
                request_id=call.request_id,
                merchant_id=call.merchant_id,
                key_id=call.key_id,
                address=call.address,
                method=call.method,
                code=call.code,
                reason=call.reason,
                seconds=seconds,
                payment_id=payment_id,
            )

    def flush(self) -> None:
        """Write what the log still holds."""
        if self._log:
            self._log.flush()


def _parts(method: str) -> tuple[str, str]:
    """Return service and method. Only methods that there are get here, so they are few."""
    service, _, name = method.removeprefix("/").partition("/")
    return service, name
