"""Composes the bank and serves it: `python -m services.acquirer`."""

import os
import sys

import uvloop

from paygate.acquirer.v1 import acquirer_service_pb2_grpc as rpc
from pkg.errors import MisconfiguredError
from pkg.grpc.guard import Guard
from pkg.grpc.server import options, serve_until_stopped
from pkg.grpc.servers.make import make_server
from pkg.grpc.tls import server_credentials
from pkg.observe import telemetry
from pkg.observe.metrics import Metrics
from pkg.observe.tracing import tracer_of
from pkg.postgres.health import database_checks
from pkg.postgres.sql import Pools
from pkg.process.observed import call_records, observed
from pkg.process.settings import as_secret, load_or_explain
from pkg.process.starting import refused
from services.acquirer.bank import Bank
from services.acquirer.book import Book
from services.acquirer.config import Config
from services.acquirer.errors import UnreachableError
from services.acquirer.line import Lines
from services.acquirer.operations import Operations
from services.acquirer.outage import Outages
from services.acquirer.refusals import DOMAIN, refusal_of
from services.acquirer.rule_calls import RuleCalls
from services.acquirer.servicer import AcquirerServicer

SERVICE = "acquirer"  # in the log


async def serve(config: Config) -> None:
    """Serve until stopped.

    Raises:
        UnreachableError: The database did not come.
        RuntimeError: The port is taken.
    """
    tracer = tracer_of("paygate-acquirer", os.environ)
    book = await Book.open(
        as_secret(config.database_url),
        connections_max=config.pool_connections_max,
        statement_seconds_max=config.statement_seconds_max,
        attempts_max=config.connect_attempts_max,
        pause_seconds=config.connect_pause_seconds,
        tracer=tracer,
    )
    bank = Bank(book, Outages(seconds=config.outage_seconds), slow_seconds=config.slow_seconds)
    metrics = Metrics()
    pools = Pools(metrics)
    pools.add("book", book.pool)
    records = call_records(config, metrics, service=SERVICE, tracer=tracer)
    operations = Operations(bank)
    lines = Lines(operations, records, operations_max=config.calls_max)
    servicer = AcquirerServicer(operations, lines, RuleCalls(bank))
    server = make_server(
        config.grpc_server,
        interceptors=[Guard(refusal_of, records=records, domain=DOMAIN)],
        options=options(port_is_held=config.ports_are_held),
        calls_max=config.calls_max,
        abandoned=records.abandoned,
    )
    rpc.add_AcquirerServiceServicer_to_server(servicer, server)

    async def close() -> None:
        await lines.drain()
        await book.close()

    checks = database_checks(pools, "book", config.database_url.get_secret_value())
    async with observed(config.metrics_place, metrics, checks):
        await serve_until_stopped(
            server,
            listen=config.listen,
            ending=config.ending,
            credentials=server_credentials(config.identity) if config.identity else None,
            closing=lines.close,
            before_close=close,
        )
    records.flush()


def main() -> int | str:
    """Serve by the settings of this process; return its exit code or why it can't."""
    telemetry.configure(SERVICE)
    config = load_or_explain(Config, sys.stderr.write)
    if config is None:
        return 2
    code = refused(config, "serve")
    if code:
        return code
    try:
        uvloop.run(serve(config))
    except (UnreachableError, RuntimeError, MisconfiguredError) as error:
        return f"acquirer: {error}"
    return 0


if __name__ == "__main__":
    sys.exit(main())
