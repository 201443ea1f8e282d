"""The composition root: settings → adapters → one of the roles of the service.

`serve` answers RPCs, `sweep` recovers what is in doubt, `admin` serves the operator.
"""

import argparse
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from grpc import aio

from paygate.admin.v1.admin_service_pb2_grpc import add_AdminServiceServicer_to_server
from paygate.payments.v1.payment_service_pb2_grpc import add_PaymentServiceServicer_to_server
from paygate.sandbox.v1.sandbox_service_pb2_grpc import add_SandboxServiceServicer_to_server
from pkg.errors import MisconfiguredError
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
from pkg.postgres.sql import Pool, Pools
from pkg.process.observed import call_records, observed
from pkg.process.repeating import meanwhile
from pkg.process.settings import as_secret
from pkg.process.starting import run
from pkg.replies.once import Once
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.hashing import HmacHasher
from services.payments.adapters.pending import watch_pending
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.postgres_cards import PostgresCards
from services.payments.adapters.postgres_reader import PostgresReader
from services.payments.adapters.postgres_visits import PostgresVisits
from services.payments.adapters.tally import MeteredAcquirer, StoreTally
from services.payments.adapters.vault.cards import NoVault
from services.payments.admin.actions import PostgresActions
from services.payments.admin.gate import AdminGate
from services.payments.admin.keys import PostgresKeys
from services.payments.admin.merchants import PostgresMerchants
from services.payments.admin.refusals import refusal_of as admin_refusal_of
from services.payments.admin.servicer import AdminServicer
from services.payments.api.codec import ProtoReplies
from services.payments.api.refusals import telling_the_time
from services.payments.api.requests import payment_id_in
from services.payments.api.sandbox import SandboxServicer
from services.payments.api.servicer import PaymentServicer, origin
from services.payments.ports import Ports
from services.payments.setup.admin_config import AdminSettings
from services.payments.setup.config import Settings
from services.payments.setup.connections import (
    NAME,
    acquirer,
    bank_line,
    decline_limits,
    dependencies,
    opener,
    operators_pools,
    reading_pool,
    sandbox_pool,
    store_on,
)
from services.payments.setup.open_vault import opened_vault
from services.payments.setup.sandbox import sandbox_on
from services.payments.use_cases.leases import LEASE
from services.payments.use_cases.queries import Queries
from services.payments.use_cases.sweep import Sweep

SERVICE = "payments"  # in the log
# New payments give way to what is to be done with those that there are.
SHED_FIRST = ("/paygate.payments.v1.PaymentService/Authorize",)


@dataclass(frozen=True, slots=True)
class Service:
    """The service on its adapters."""

    ports: Ports
    queries: Queries
    authenticator: Authenticator
    sandbox: SandboxServicer | None
    store: PostgresStore
    reads: Pool
    metrics: Metrics
    checks: Mapping[str, Check]
    tracer: Tracer | None


@asynccontextmanager
async def composed(
    settings: Settings, name: str = NAME, *, lease: timedelta | None = None
) -> AsyncIterator[Service]:
    """Open what the service stands on, and close it at the end.

    Args:
        settings: Of the process.
        name: In traces.
        lease: When recovery takes up what this process began; by default what the settings say.
    """
    metrics, tracer = Metrics(), tracer_of(name, os.environ)
    pools = Pools(metrics)
    url, timeout = settings.database_url.get_secret_value(), settings.database_timeout_seconds
    opened = opener(settings.database_url, settings, tracer)
    reads = await opened(size=settings.database_pool_size)
    writes = await opened(size=1, begins_era=True)
    pools.add("reads", reads)
    pools.add("writes", writes)
    async with (
        reads,
        writes,
        bank_line(settings) as bank,
        opened_vault(
            settings,
            name=NAME,
            timeout_seconds=timeout,
            metrics=metrics,
            pools=pools,
            lifetime_seconds=settings.vault_data_key_lifetime_seconds,
            uses_max=settings.vault_data_key_uses_max,
            tracer=tracer,
        ) as vault,
    ):
        clocks = SandboxClocks()
        store = store_on(reads, writes, settings, clocks, lease, StoreTally(metrics), tracer)
        ports = Ports(
            store=store,
            acquirer=MeteredAcquirer(acquirer(settings, bank, tracer), metrics),
            vault=vault.cards if vault else NoVault(),
            cards=PostgresCards(reads, metrics),
            attempt=decline_limits(settings, metrics).attempt,
            clock=clocks,
            visits=PostgresVisits(reads, clocks),
            hasher=HmacHasher(as_secret(settings.hash_key)),
            replies=ProtoReplies(),
            limits=settings.limits,
            origin=origin,
        )
        authenticator = authenticator_on(reads, settings, metrics)
        checks = dependencies(pools, url, bank, vault)
        async with (
            reading_pool(settings, reads, pools, tracer) as own_rows,
            sandbox_pool(settings) as pool,
            sandbox_on(pool, own_rows, settings, bank, authenticator, ports) as sandbox,
        ):
            reader = PostgresReader(own_rows, clocks=clocks, wait_seconds_max=timeout)
            queries = Queries(reader, PageTokens(as_secret(settings.hash_key)))
            yield Service(
                ports, queries, authenticator, sandbox, store, reads, metrics, checks, tracer
            )


def authenticator_on(pool: Pool, settings: Settings, metrics: Metrics) -> Authenticator:
    """Return what tells callers by the keys in this pool's database."""
    digest = KeyDigest(as_secret(settings.key_pepper))
    return Authenticator(PostgresKeyStore(pool), digest, limits=settings.caller_limits(metrics))


async def serve(settings: Settings) -> None:
    """Answer RPCs until SIGTERM."""
    if settings.vault_database_url is None:
        raise MisconfiguredError("PAYGATE_VAULT_DATABASE_URL: Field required")
    async with composed(settings) as service:
        await serve_on(settings, service)


async def serve_on(settings: Settings, service: Service, *inner: aio.ServerInterceptor) -> None:
    """Answer RPCs with `service` until SIGTERM; `inner` interceptors run inside the guard."""
    writer = RequestWriter(service.reads, service.metrics) if service.sandbox else None
    gate = Gate(settings.in_flight_max, first=SHED_FIRST)
    records = call_records(
        settings,
        service.metrics,
        service=SERVICE,
        payment_id=payment_id_in,
        tracer=service.tracer,
        writer=writer,
    )
    guard = Guard(telling_the_time(service.ports.clock), gate, records)
    server = make_server(
        settings.grpc_server,
        interceptors=(guard, *inner),
        options=options(port_is_held=settings.ports_are_held),
        abandoned=records.abandoned,
    )
    servicer = PaymentServicer(service.ports, service.queries, service.authenticator)
    add_PaymentServiceServicer_to_server(servicer, server)
    if service.sandbox:
        add_SandboxServiceServicer_to_server(service.sandbox, server)
    observing = observed(settings.metrics_place, service.metrics, service.checks)
    async with running(writer), observing, settings.sharing(service.authenticator.limits):
        await serve_until_stopped(
            server,
            listen=settings.listen,
            ending=settings.ending,
            credentials=server_credentials(settings.identity) if settings.identity else None,
        )
    records.flush()


async def sweep(settings: Settings) -> None:
    """Recover what is in doubt until SIGTERM."""
    stopped = stop_signal()
    async with (
        composed(settings, "paygate-sweep", lease=LEASE) as service,
        observed(settings.metrics_place, service.metrics, service.checks),
        meanwhile(watch_pending(service.store, service.metrics)),
    ):
        await Sweep(service.ports, interval_seconds=settings.sweep_interval_seconds).run(stopped)


async def administer(settings: AdminSettings) -> None:
    """Answer the operator until SIGTERM."""
    timeout = settings.database_timeout_seconds
    url = settings.admin_database_url.get_secret_value()
    metrics, tracer = Metrics(), tracer_of("paygate-admin", os.environ)
    pools = Pools(metrics)
    async with (
        operators_pools(settings, tracer) as (pool, actions),
        opened_vault(
            settings,
            name=NAME,
            timeout_seconds=timeout,
            metrics=metrics,
            pools=pools,
            tracer=tracer,
        ) as vault,
    ):
        pools.add("admin", pool)
        gate = AdminGate(as_secret(settings.admin_token))
        records = call_records(settings, metrics, service=SERVICE, tracer=tracer)
        guard = Guard(admin_refusal_of, records=records)
        server = make_server(
            settings.grpc_server,
            interceptors=(guard, gate),
            options=options(port_is_held=settings.ports_are_held),
            abandoned=records.abandoned,
        )
        servicer = AdminServicer(
            PostgresMerchants(pool),
            PostgresKeys(pool),
            PostgresActions(actions),
            KeyDigest(as_secret(settings.key_pepper)),
            vault.rotation if vault else None,
            Once(pool, as_secret(settings.key_pepper)),
        )
        add_AdminServiceServicer_to_server(servicer, server)
        checks: dict[str, Check] = {
            **database_checks(pools, "admin", url),
            **({"vault": vault.is_open} if vault else {}),
        }
        async with observed(settings.metrics_place, metrics, checks):
            await serve_until_stopped(server, listen=settings.admin_listen, ending=settings.ending)
        records.flush()


def main() -> int:
    """Run the role that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m services.payments", description=__doc__)
    roles = parser.add_subparsers(dest="role", required=True)
    roles.add_parser("serve", help="answer RPCs")
    roles.add_parser("sweep", help="recover what is in doubt")
    roles.add_parser("admin", help="serve the operator")
    arguments = parser.parse_args()
    telemetry.configure(SERVICE)
    match arguments.role:
        case "admin":
            return run(AdminSettings, "admin", administer)
        case "serve":
            return run(Settings, "serve", serve)
        case _:
            return run(Settings, "sweep", sweep)


if __name__ == "__main__":
    sys.exit(main())
