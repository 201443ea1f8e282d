"""What the gateway stands on: its store, the bank, limits, pools for what is only looked at."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

from pkg.grpc.tls import channel
from pkg.observe.health import Check
from pkg.observe.metrics import Metrics
from pkg.observe.tracing import Tracer
from pkg.postgres.health import database_checks
from pkg.postgres.sql import Pool, Pools, open_pool
from pkg.postgres.tenancy import MerchantPool
from services.payments.adapters.bank import GrpcAcquirer
from services.payments.adapters.bank_line import BankLine
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.declines import DeclineLimits
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.tally import StoreTally
from services.payments.api.codec import ProtoEvents
from services.payments.setup.config import Settings
from services.payments.setup.open_vault import OpenVault

NAME = "paygate-payments"


def dependencies(
    pools: Pools, url: str, bank: BankLine, vault: OpenVault | None
) -> Mapping[str, Check]:
    """Return what `/health` asks."""
    return {
        **database_checks(pools, "reads", url),
        "acquirer": bank.serves,
        **({"vault": vault.is_open} if vault else {}),
    }


def acquirer(settings: Settings, bank: BankLine, tracer: Tracer | None) -> GrpcAcquirer:
    """Return the bank behind a line."""
    return GrpcAcquirer(
        bank,
        call_timeout_seconds=settings.acquirer_call_timeout_seconds,
        inquiry_timeout_seconds=settings.acquirer_inquiry_timeout_seconds,
        tells=settings.has_sandbox_api,
        tracer=tracer,
    )


def store_on(
    reads: Pool,
    writes: Pool,
    settings: Settings,
    clocks: SandboxClocks,
    lease: timedelta | None,
    tally: StoreTally,
    tracer: Tracer | None,
) -> PostgresStore:
    """Return the store of payments on these pools."""
    return PostgresStore(
        reads,
        writes,
        events=ProtoEvents(),
        clocks=clocks,
        lease=lease or settings.action_lease,
        wait_seconds_max=settings.database_timeout_seconds,
        tally=tally,
        tracer=tracer,
    )


def decline_limits(settings: Settings, metrics: Metrics) -> DeclineLimits:
    """Return how often cards may be declined in this process."""
    return DeclineLimits(
        card=settings.card_declines_rate, key=settings.key_declines_rate, metrics=metrics
    )


# Each line has a connection of its own, where gRPC would share one among all.
_BANK_CONNECTION = (("grpc.use_local_subchannel_pool", 1),)


def bank_line(settings: Settings) -> BankLine:
    """Return the line to the bank, which is shown the certificate that clients are.

    The files are read at each connection, so that new certificates count from the next line on.
    """
    return BankLine(
        lambda: channel(
            settings.acquirer_address,
            ca=settings.acquirer_ca_file,
            identity=settings.identity,
            server_name=settings.acquirer_server_name,
            options=_BANK_CONNECTION,
        )
    )


@asynccontextmanager
async def reading_pool(
    settings: Settings, reads: Pool, pools: Pools, tracer: Tracer | None
) -> AsyncIterator[MerchantPool]:
    """Open what payments are looked at with: by a role that sees one merchant's rows, if told."""
    url = settings.read_database_url
    if url is None:
        yield MerchantPool(reads)
        return
    async with await open_pool(
        url.get_secret_value(),
        size=settings.database_pool_size,
        command_timeout_seconds=settings.database_timeout_seconds,
        name=NAME,
        tracer=tracer,
        writes=False,
    ) as pool:
        pools.add("reader", pool)
        yield MerchantPool(pool)


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
