"""The composition root: settings → adapters → one of the roles of the service.

`serve` answers RPCs, `sweep` recovers what is in doubt, `create-key` makes an API key.
"""

import argparse
import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from grpc import aio

from paygate.payments.v1.payment_service_pb2_grpc import add_PaymentServiceServicer_to_server
from paygate.sandbox.v1.sandbox_service_pb2_grpc import add_SandboxServiceServicer_to_server
from pkg import production, telemetry
from pkg.auth import Authenticator, KeyDigest, PostgresKeyStore, new_api_key
from pkg.gate import Gate
from pkg.mode import Mode
from pkg.paging import PageTokens
from pkg.rpc import Guard
from pkg.running import Running
from pkg.server import OPTIONS, serve_until_stopped, stop_signal
from pkg.settings import hidden, told
from pkg.sql import Pool, open_pool
from pkg.tls import channel, server_credentials
from services.payments.adapters.acquirer import GrpcAcquirer, GrpcTestCards
from services.payments.adapters.clock import SandboxClock
from services.payments.adapters.hashing import HmacHasher
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.postgres_sandbox import PostgresSandbox
from services.payments.adapters.vault import NoVault
from services.payments.adapters.vault_local import KeyringError
from services.payments.codec import ProtoEvents, ProtoReplies
from services.payments.config import Settings
from services.payments.ports import Gateway, Vault
from services.payments.queries import Queries
from services.payments.refusals import refusal_of
from services.payments.sandbox import SandboxServicer
from services.payments.servicer import PaymentServicer
from services.payments.sweep import Sweep
from services.payments.wiring import opened_vault

NAME = "paygate-payments"
# New payments give way to what is to be done with those that there are.
SHED_FIRST = ("/paygate.payments.v1.PaymentService/Authorize",)


@dataclass(frozen=True, slots=True)
class Service:
    """The service on its adapters."""

    gateway: Gateway
    queries: Queries
    authenticator: Authenticator
    sandbox: SandboxServicer | None


@asynccontextmanager
async def composed(settings: Settings) -> AsyncIterator[Service]:
    """Open what the service stands on, and close it at the end."""
    timeout = settings.database_timeout_seconds
    url = settings.database_url.get_secret_value()
    reads = await open_pool(
        url, size=settings.database_pool_size, command_timeout_seconds=timeout, name=NAME
    )
    writes = await open_pool(url, size=1, command_timeout_seconds=timeout, name=NAME)
    hasher = HmacHasher(hidden(settings.hash_key))
    async with reads, writes, bank_channel(settings) as bank, vault_of(settings) as vault:
        clock = SandboxClock()
        store = PostgresStore(
            reads,
            writes,
            events=ProtoEvents(),
            clock=clock,
            lease=timedelta(seconds=settings.action_lease_seconds),
            wait_seconds_max=timeout,
        )
        gateway = Gateway(
            store=store,
            acquirer=GrpcAcquirer(
                bank,
                call_timeout_seconds=settings.acquirer_call_timeout_seconds,
                inquiry_timeout_seconds=settings.acquirer_inquiry_timeout_seconds,
            ),
            vault=vault,
            clock=clock,
            hasher=hasher,
            replies=ProtoReplies(),
            limits=settings.limits,
        )
        digest = KeyDigest(hidden(settings.key_pepper))
        limits = settings.caller_limits()
        authenticator = Authenticator(PostgresKeyStore(reads), digest, limits=limits)
        queries = Queries(store, PageTokens(hidden(settings.hash_key)))
        cards = GrpcTestCards(bank, timeout_seconds=settings.acquirer_call_timeout_seconds)
        async with sandbox_pool(settings) as pool:
            sandbox = SandboxServicer(PostgresSandbox(pool), cards, authenticator) if pool else None
            yield Service(gateway, queries, authenticator, sandbox)


def bank_channel(settings: Settings) -> aio.Channel:
    """Return the channel to the bank, which is shown the certificate that clients are."""
    return channel(
        settings.acquirer_address,
        ca=settings.acquirer_ca_file,
        identity=settings.identity,
        server_name=settings.acquirer_server_name,
    )


@asynccontextmanager
async def vault_of(settings: Settings) -> AsyncIterator[Vault]:
    """Open the vault; whoever has no role for it, as the sweep, has one that takes no cards."""
    if settings.vault_database_url is None:
        yield NoVault()
        return
    async with opened_vault(settings, name=NAME) as vault:
        yield vault.cards


@asynccontextmanager
async def sandbox_pool(settings: Settings) -> AsyncIterator[Pool | None]:
    """Open what the sandbox's API works on; nothing where it has no database role."""
    url = settings.sandbox_database_url
    if url is None or not settings.has_sandbox_api:
        yield None
        return
    timeout = settings.database_timeout_seconds
    async with await open_pool(
        url.get_secret_value(), size=1, command_timeout_seconds=timeout, name=NAME
    ) as pool:
        yield pool


async def serve(settings: Settings) -> None:
    """Answer RPCs until SIGTERM."""
    async with composed(settings) as service:
        await serve_on(settings, service)


async def serve_on(settings: Settings, service: Service, *inner: aio.ServerInterceptor) -> None:
    """Answer RPCs with `service` until SIGTERM; `inner` interceptors run inside the guard."""
    running = Running()
    gate = Gate(settings.in_flight_max, first=SHED_FIRST, left_behind=lambda: running.left_behind)
    server = aio.server(interceptors=(Guard(refusal_of, gate), *inner), options=OPTIONS)
    servicer = PaymentServicer(service.gateway, service.queries, service.authenticator, running)
    add_PaymentServiceServicer_to_server(servicer, server)
    if service.sandbox:
        add_SandboxServiceServicer_to_server(service.sandbox, server)
    await serve_until_stopped(
        server,
        listen=settings.listen,
        drain_seconds=settings.drain_seconds,
        credentials=server_credentials(settings.identity) if settings.identity else None,
        before_close=running.drain,
    )


async def sweep(settings: Settings) -> None:
    """Recover what is in doubt until SIGTERM."""
    stopped = stop_signal()
    async with composed(settings) as service:
        await Sweep(service.gateway, interval_seconds=settings.sweep_interval_seconds).run(stopped)


async def create_key(settings: Settings, *, merchant_id: str, name: str) -> str:
    """Make an API key, and its merchant if that is new; return the key, which is stored nowhere."""
    key_id, api_key = new_api_key()
    url = settings.database_url.get_secret_value()
    async with await open_pool(url, size=1, command_timeout_seconds=10, name=NAME) as pool:
        await PostgresKeyStore(pool).create_key(
            merchant_id=merchant_id,
            name=name,
            key_id=key_id,
            digest=KeyDigest(hidden(settings.key_pepper)).of(api_key),
            now=SandboxClock().now(),
        )
    return api_key


def main() -> int:
    """Run the role that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m services.payments", description=__doc__)
    roles = parser.add_subparsers(dest="role", required=True)
    roles.add_parser("serve", help="answer RPCs")
    roles.add_parser("sweep", help="recover what is in doubt")
    key = roles.add_parser("create-key", help="make an API key and print it")
    key.add_argument("--merchant-id", required=True)
    key.add_argument("--name", required=True)
    arguments = parser.parse_args()
    telemetry.configure("payments")
    settings = told(Settings, sys.stderr.write)
    if settings is None:
        return 2
    if settings.mode is Mode.PRODUCTION:
        code = production.exit_code(settings.posture(arguments.role), sys.stderr.write)
        if code:
            return code
    if arguments.role == "serve":
        if settings.vault_database_url is None:
            sys.stderr.write("PAYGATE_VAULT_DATABASE_URL: Field required\n")
            return 2
        try:
            asyncio.run(serve(settings))
        except KeyringError as problem:
            sys.stderr.write(f"PAYGATE_VAULT_KEYRING: {problem}\n")
            return 2
    elif arguments.role == "sweep":
        asyncio.run(sweep(settings))
    else:
        new_key = create_key(settings, merchant_id=arguments.merchant_id, name=arguments.name)
        sys.stdout.write(asyncio.run(new_key) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
