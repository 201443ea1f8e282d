"""What the gateway stands on: its store, the bank, limits, pools for what is only looked at."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from pydantic import SecretStr

from pkg.grpc.tls import channel
from pkg.observe.health import Check
from pkg.observe.metrics import Metrics
from pkg.observe.tracing import Tracer
from pkg.postgres.health import database_checks
from pkg.postgres.shards import Shards
from pkg.postgres.shards.opening import open_coordinator, open_database
from pkg.postgres.shards.tenancy import merchants_of
from pkg.postgres.sql import Pool, Pools
from pkg.postgres.tenancy import MerchantPool
from services.payments.adapters.bank import GrpcAcquirer
from services.payments.adapters.bank_line import BankLine
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.declines import DeclineLimits
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.tally import StoreTally
from services.payments.api.codec import ProtoEvents
from services.payments.setup.admin_config import AdminSettings
from services.payments.setup.config import Settings
from services.payments.setup.open_vault import OpenVault

ADMIN_POOL_SIZE = 2
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


def opener(
    url: SecretStr,
    settings: Settings | AdminSettings,
    tracer: Tracer | None = None,
    *,
    opens: Callable[..., Awaitable[Pool]] = open_database,
) -> Callable[..., Awaitable[Pool]]:
    """Return what opens pools at an address; see `open_database`, or what else `opens`."""
    return partial(
        opens,
        url.get_secret_value(),
        settings.shards,
        command_timeout_seconds=settings.database_timeout_seconds,
        name=NAME,
        tracer=tracer,
    )


@asynccontextmanager
async def reading_pool(
    settings: Settings, reads: Pool, pools: Pools, tracer: Tracer | None
) -> AsyncIterator[MerchantPool]:
    """Open what payments are looked at with: by a role that sees one merchant's rows, if told."""
    url = settings.read_database_url
    if url is None:
        yield merchants_of(reads)
        return
    opened = opener(url, settings, tracer)
    async with await opened(size=settings.database_pool_size, writes=False) as pool:
        pools.add("reader", pool)
        yield merchants_of(pool)


@asynccontextmanager
async def operators_pools(
    settings: AdminSettings, tracer: Tracer | None
) -> AsyncIterator[tuple[Pool, Pool]]:
    """Open what the operator works on: that of merchants and keys, and that of their actions."""
    opening = partial(opener, settings.admin_database_url, settings, tracer)
    async with await opening(opens=open_coordinator)(size=ADMIN_POOL_SIZE) as pool:
        if settings.shards is Shards.NONE:
            yield pool, pool
            return
        async with await opening()(size=ADMIN_POOL_SIZE) as actions:
            yield pool, actions


@asynccontextmanager
async def sandbox_pool(settings: Settings) -> AsyncIterator[Pool | None]:
    """Open what the sandbox's API works on; nothing where it has no database role."""
    url = settings.sandbox_database_url
    if url is None or not settings.has_sandbox_api:
        yield None
        return
    async with await opener(url, settings)(size=1) as pool:
        yield pool
