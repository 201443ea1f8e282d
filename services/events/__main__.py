"""The composition root: settings → adapters → one of the roles of the service.

`serve` answers RPCs about webhooks, `relay` delivers events.
"""

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING

import structlog

from paygate.webhooks.v1.webhook_service_pb2_grpc import add_WebhookServiceServicer_to_server
from pkg.errors import DependencyUnavailableError
from pkg.grpc.auth import Authenticator, KeyDigest
from pkg.grpc.guard import Guard
from pkg.grpc.key_store import PostgresKeyStore
from pkg.grpc.limits import Gate
from pkg.grpc.logged.writer import RequestWriter, running
from pkg.grpc.paging import PageTokens
from pkg.grpc.server import options, serve_until_stopped, stop_signal
from pkg.grpc.servers.make import make_server
from pkg.grpc.tls import server_credentials
from pkg.observe import telemetry
from pkg.observe.health import Check
from pkg.observe.metrics import Metrics
from pkg.observe.tracing import Tracer, tracer_of
from pkg.postgres.health import database_checks
from pkg.postgres.shards.opening import open_database
from pkg.postgres.shards.tenancy import merchants_of
from pkg.postgres.sql import Pool, Pools
from pkg.process.mode import Mode
from pkg.process.observed import call_records, observed
from pkg.process.repeating import meanwhile, pause
from pkg.process.settings import as_secret
from pkg.process.starting import run
from pkg.replies.once import Once
from pkg.secret import Secret
from services.events.config import Settings
from services.events.deliver import Deliverer
from services.events.endpoints import Endpoints
from services.events.journal import Journal
from services.events.outbox import Outbox
from services.events.reflection import add_reflection_to
from services.events.refusals import refusal_of
from services.events.relay import Relay
from services.events.sealing import SecretBox
from services.events.servicer import WebhookServicer
from services.events.tally import RelayTally
from services.events.watching import Watches

if TYPE_CHECKING:
    from services.events.nats_bus import NatsBus

logger = structlog.get_logger()

NAME = "paygate-events"
SERVICE = "events"  # in the log
RESTART_SECONDS = 1.0


def _url(settings: Settings) -> str:
    return settings.database_url.get_secret_value()


async def _pool(settings: Settings, tracer: Tracer | None) -> Pool:
    return await open_database(
        _url(settings),
        settings.shards,
        size=settings.database_pool_size,
        command_timeout_seconds=settings.database_timeout_seconds,
        name=NAME,
        tracer=tracer,
        begins_era=True,
    )


async def serve(settings: Settings) -> None:
    """Answer RPCs until SIGTERM."""
    box = SecretBox(as_secret(settings.webhook_key))
    metrics, tracer = Metrics(), tracer_of(NAME, os.environ)
    pools = Pools(metrics)
    async with await _pool(settings, tracer) as pool:
        pools.add("webhooks", pool)
        journal = Journal(merchants_of(pool))
        watches = Watches(journal)
        limits = settings.caller_limits(metrics)
        servicer = WebhookServicer(
            Endpoints(merchants_of(pool), box),
            journal,
            Authenticator(
                PostgresKeyStore(pool),
                KeyDigest(as_secret(settings.key_pepper)),
                limits=limits,
            ),
            PageTokens(as_secret(settings.hash_key)),
            settings.mode,
            Once(pool, as_secret(settings.webhook_key)),
            watches,
        )
        is_sandbox = settings.mode is Mode.SANDBOX
        writer = RequestWriter(pool, metrics) if is_sandbox else None
        records = call_records(settings, metrics, service=SERVICE, tracer=tracer, writer=writer)
        guard = Guard(refusal_of, Gate(settings.in_flight_max), records)
        server = make_server(
            settings.grpc_server,
            interceptors=(guard,),
            options=options(port_is_held=settings.ports_are_held),
            abandoned=records.abandoned,
        )
        add_WebhookServiceServicer_to_server(servicer, server)
        if is_sandbox:
            add_reflection_to(server)
        checks = database_checks(pools, "webhooks", _url(settings))
        async with (
            running(writer),
            observed(settings.metrics_place, metrics, checks),
            meanwhile(watches.run()),
            settings.sharing(limits),
        ):
            await serve_until_stopped(
                server,
                listen=settings.listen,
                ending=settings.ending,
                credentials=server_credentials(settings.identity) if settings.identity else None,
                closing=watches.close,
            )
        records.flush()


async def relay(settings: Settings) -> None:
    """Deliver events until SIGTERM, from the beginning again whenever the database was away."""
    stopped = stop_signal()
    metrics, tracer = Metrics(), tracer_of("paygate-relay", os.environ)
    pools, tally = Pools(metrics), RelayTally(metrics)
    url = settings.nats_url
    bus = _bus(as_secret(url), settings) if url else None
    checks: dict[str, Check] = {
        **database_checks(pools, "relay", _url(settings)),
        **({"nats": bus.answers} if bus else {}),
    }
    try:
        async with observed(settings.metrics_place, metrics, checks) as health:
            while not stopped.is_set():
                try:
                    async with await _pool(settings, tracer) as pool:
                        pools.add("relay", pool)
                        # Not only when the dependencies are asked again: whoever starts it waits.
                        await health.run_once()
                        await relay_on(settings, pool, bus, tally, stopped, tracer)
                except* DependencyUnavailableError:
                    logger.warning("the database is not available")
                    await pause(stopped, RESTART_SECONDS)
    finally:
        if bus:
            await bus.close()


def _bus(url: Secret, settings: Settings) -> "NatsBus":
    # Who has no bus need not wait until its client is imported.
    from services.events.nats_bus import NatsBus  # noqa: PLC0415

    return NatsBus(url, ca_file=settings.nats_ca_file)


async def relay_on(
    settings: Settings,
    pool: Pool,
    bus: "NatsBus | None",
    tally: RelayTally,
    stopped: asyncio.Event,
    tracer: Tracer | None = None,
) -> None:
    """Deliver events until stopped; attempts that take longer than the drain are given up.

    What is given up is tried again, by whoever runs when its lease has ended.
    """
    box = SecretBox(as_secret(settings.webhook_key))
    limits = settings.delivery_limits
    deliverer = Deliverer(
        pool,
        box,
        settings.mode,
        limits,
        own_ports=settings.own_ports,
        tally=tally,
        tracer=tracer,
    )
    relaying = Relay(pool, bus, settings.relay_limits, relayed=deliverer.look, tracer=tracer)
    try:
        async with asyncio.timeout(None) as patience:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(relaying.run(stopped))
                tasks.create_task(deliverer.run(stopped))
                tasks.create_task(tally.watch(Outbox(pool), stopped))
                await stopped.wait()
                patience.reschedule(asyncio.get_running_loop().time() + settings.drain_seconds)
    except TimeoutError:
        logger.warning("attempts were still under way")
    finally:
        await deliverer.close()


def main() -> int:
    """Run the role that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m services.events", description=__doc__)
    roles = parser.add_subparsers(dest="role", required=True)
    roles.add_parser("serve", help="answer RPCs")
    roles.add_parser("relay", help="deliver events")
    arguments = parser.parse_args()
    telemetry.configure(SERVICE)
    role = serve if arguments.role == "serve" else relay
    return run(Settings, arguments.role, role)


if __name__ == "__main__":
    sys.exit(main())
