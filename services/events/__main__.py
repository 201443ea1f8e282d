"""The composition root: settings → adapters → one of the roles of the service.

`serve` answers RPCs about webhooks, `relay` delivers events.
"""

import argparse
import asyncio
import sys

import structlog
from grpc import aio

from paygate.webhooks.v1.webhook_service_pb2_grpc import add_WebhookServiceServicer_to_server
from pkg import telemetry
from pkg.auth import Authenticator, KeyDigest, PostgresKeyStore
from pkg.errors import DependencyUnavailableError
from pkg.gate import Gate
from pkg.paging import PageTokens
from pkg.rpc import Guard
from pkg.server import OPTIONS, serve_until_stopped, stop_signal
from pkg.settings import hidden
from pkg.sql import Pool, open_pool
from pkg.starting import run
from pkg.tenancy import MerchantPool
from pkg.tls import server_credentials
from services.events.bus import NatsBus
from services.events.config import Settings
from services.events.deliver import Deliverer
from services.events.endpoints import Endpoints
from services.events.journal import Journal
from services.events.refusals import refusal_of
from services.events.relay import Relay, pause
from services.events.sealing import SecretBox
from services.events.servicer import WebhookServicer

logger = structlog.get_logger()

NAME = "paygate-events"
RESTART_SECONDS = 1.0


async def _pool(settings: Settings) -> Pool:
    return await open_pool(
        settings.database_url.get_secret_value(),
        size=settings.database_pool_size,
        command_timeout_seconds=settings.database_timeout_seconds,
        name=NAME,
    )


async def serve(settings: Settings) -> None:
    """Answer RPCs until SIGTERM."""
    box = SecretBox(hidden(settings.webhook_key))
    async with await _pool(settings) as pool:
        servicer = WebhookServicer(
            Endpoints(MerchantPool(pool), box),
            Journal(MerchantPool(pool)),
            Authenticator(
                PostgresKeyStore(pool),
                KeyDigest(hidden(settings.key_pepper)),
                limits=settings.caller_limits(),
            ),
            PageTokens(hidden(settings.hash_key)),
            settings.mode,
        )
        guard = Guard(refusal_of, Gate(settings.in_flight_max))
        server = aio.server(interceptors=(guard,), options=OPTIONS)
        add_WebhookServiceServicer_to_server(servicer, server)
        await serve_until_stopped(
            server,
            listen=settings.listen,
            drain_seconds=settings.drain_seconds,
            notice_seconds=settings.drain_notice_seconds,
            credentials=server_credentials(settings.identity) if settings.identity else None,
        )


async def relay(settings: Settings) -> None:
    """Deliver events until SIGTERM, from the beginning again whenever the database was away."""
    stopped = stop_signal()
    while not stopped.is_set():
        try:
            async with await _pool(settings) as pool:
                await relay_on(settings, pool, stopped)
        except* DependencyUnavailableError:
            logger.warning("the database is not available")
            await pause(stopped, RESTART_SECONDS)


async def relay_on(settings: Settings, pool: Pool, stopped: asyncio.Event) -> None:
    """Deliver events until stopped; attempts that take longer than the drain are given up.

    What is given up is tried again, by whoever runs when its lease has ended.
    """
    bus = NatsBus(hidden(settings.nats_url)) if settings.nats_url else None
    box = SecretBox(hidden(settings.webhook_key))
    deliverer = Deliverer(pool, box, settings.mode, settings.delivery_limits)
    try:
        async with asyncio.timeout(None) as patience:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(Relay(pool, bus, settings.relay_limits).run(stopped))
                tasks.create_task(deliverer.run(stopped))
                await stopped.wait()
                patience.reschedule(asyncio.get_running_loop().time() + settings.drain_seconds)
    except TimeoutError:
        logger.warning("attempts were still under way")
    finally:
        await deliverer.close()
        if bus:
            await bus.close()


def main() -> int:
    """Run the role that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m services.events", description=__doc__)
    roles = parser.add_subparsers(dest="role", required=True)
    roles.add_parser("serve", help="answer RPCs")
    roles.add_parser("relay", help="deliver events")
    arguments = parser.parse_args()
    telemetry.configure("events")
    role = serve if arguments.role == "serve" else relay
    return run(Settings, arguments.role, role)


if __name__ == "__main__":
    sys.exit(main())
