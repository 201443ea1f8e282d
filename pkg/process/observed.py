"""The page of metrics and the health of a process, over HTTP on an address of its own.

It is for the inside of an installation: there is no authentication, and nothing in it that would
need one.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pkg.errors import MisconfiguredError
from pkg.grpc.calls import CallRecords
from pkg.grpc.logged.writer import RequestWriter
from pkg.observe.health import Check, Health
from pkg.observe.log_stream import lost_lines
from pkg.observe.metrics import Metrics
from pkg.observe.request_log import request_log
from pkg.observe.tracing import Tracer
from pkg.process.loopback import is_everywhere
from pkg.process.pages import Page, Shown, shown
from pkg.process.production import Objection
from pkg.process.repeating import meanwhile
from pkg.process.settings import ServiceSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where a process shows how it does.

    Attributes:
        listen: Address and port, such as `127.0.0.1:9464`.
        is_held: Whether our supervisor holds the port, which the process is to join.
    """

    listen: str
    is_held: bool = False


class ObservedSettings(ServiceSettings):
    """Where a process shows how it does, and whether it logs every call."""

    # None: nowhere.
    metrics_listen: str | None = None
    # Of all servers of the process. Only whoever starts it, and holds the ports, can know it.
    ports_are_held: bool = False
    request_log: bool = True

    def refused_to_observers(self) -> Objection:
        """Return what production refuses of an address that asks for no key."""
        prefix = self.model_config.get("env_prefix", "")
        what = "must name one address, such as the pod's: every network could read it"
        listen = self.metrics_listen
        return Objection(
            f"{prefix}METRICS_LISTEN", what, listen is not None and is_everywhere(listen)
        )

    @property
    def metrics_place(self) -> Listening | None:
        """Where the process shows how it does; None for nowhere."""
        if self.metrics_listen is None:
            return None
        return Listening(listen=self.metrics_listen, is_held=self.ports_are_held)


def call_records(
    settings: ObservedSettings,
    metrics: Metrics,
    *,
    service: str,
    payment_id: Callable[[object, object], str] | None = None,
    tracer: Tracer | None = None,
    writer: RequestWriter | None = None,
) -> CallRecords:
    """Return what counts, logs and traces the calls to this process; see `pkg.grpc.calls`."""
    log = request_log(service) if settings.request_log else None
    kept = writer.add if writer else None
    return CallRecords(metrics, log=log, payment_id=payment_id, tracer=tracer, kept=kept)


@asynccontextmanager
async def observed(
    place: Listening | None, metrics: Metrics, checks: Mapping[str, Check]
) -> AsyncIterator[Health]:
    """Serve `/metrics`, `/health` and `/health/live` while the block runs.

    Args:
        place: Where; None to serve nothing, and ask nothing.
        metrics: What `/metrics` shows.
        checks: Of the dependencies that `/health` tells about.

    Raises:
        MisconfiguredError: The address can't be listened on.
    """
    health = Health(checks, metrics)
    if place is None:
        yield health
        return
    metrics.add_process()
    metrics.counted_elsewhere(
        "paygate_log_lines_lost_total",
        "Lines of the log that could not be written.",
        (),
        lambda: [((), lost_lines())],
    )
    await health.run_once()
    async with meanwhile(health.run()), AsyncExitStack() as opened:
        host, _, port = place.listen.rpartition(":")
        try:
            pages = shown(
                _pages(metrics, health), host.strip("[]"), int(port), is_held=place.is_held
            )
            await opened.enter_async_context(pages)
        except (OSError, ValueError) as problem:
            sentence = f"{place.listen} can't be listened on for metrics"
            raise MisconfiguredError(sentence) from problem
        yield health


def _pages(metrics: Metrics, health: Health) -> Shown:
    def show_metrics() -> Page:
        return Page(generate_latest(metrics.registry), CONTENT_TYPE_LATEST)

    def show_health() -> Page:
        return _json(health.told(), status=200 if health.is_ready else 503)

    def show_life() -> Page:
        # That the event loop gets as far as here is all that there is to say.
        return _json({"status": "ALIVE"}, status=200)

    return {"/metrics": show_metrics, "/health": show_health, "/health/live": show_life}


def _json(said: object, *, status: int) -> Page:
    return Page(orjson.dumps(said), "application/json; charset=utf-8", status)
