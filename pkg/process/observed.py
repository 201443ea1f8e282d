"""The page of metrics and the health of a process, over HTTP on an address of its own.

It is for the inside of an installation: there is no authentication, and nothing in it that would
need one.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
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
    runner = web.AppRunner(_pages(metrics, health), access_log=None, shutdown_timeout=1.0)
    async with meanwhile(health.run()):
        await runner.setup()
        try:
            host, _, port = place.listen.rpartition(":")
            try:
                site = web.TCPSite(runner, host.strip("[]"), int(port), reuse_port=place.is_held)
                await site.start()
            except (OSError, ValueError) as problem:
                sentence = f"{place.listen} can't be listened on for metrics"
                raise MisconfiguredError(sentence) from problem
            yield health
        finally:
            await runner.cleanup()


def _pages(metrics: Metrics, health: Health) -> web.Application:
    async def show_metrics(_: web.Request) -> web.Response:
        page = generate_latest(metrics.registry)
        return web.Response(body=page, headers={"content-type": CONTENT_TYPE_LATEST})

    async def show_health(_: web.Request) -> web.Response:
        return web.json_response(health.told(), status=200 if health.is_ready else 503)

    async def show_life(_: web.Request) -> web.Response:
        # That the event loop gets as far as here is all that there is to say.
        return web.json_response({"status": "ALIVE"})

    pages = web.Application()
    pages.router.add_get("/metrics", show_metrics)
    pages.router.add_get("/health", show_health)
    pages.router.add_get("/health/live", show_life)
    return pages
