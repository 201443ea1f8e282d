"""What the sandbox has and production does not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pkg.grpc.auth import Authenticator, KeyDigest
from pkg.grpc.paging import PageTokens
from pkg.postgres.shards import Shards
from pkg.postgres.sql import Pool
from pkg.postgres.tenancy import MerchantPool
from pkg.process.repeating import meanwhile, repeat
from pkg.process.settings import as_secret
from pkg.replies.once import Once
from services.payments.adapters.bank_line import BankLine
from services.payments.adapters.no_sandboxes import NoSandboxes
from services.payments.adapters.postgres_listeners import PostgresListeners
from services.payments.adapters.postgres_requests import PostgresRequests
from services.payments.adapters.postgres_sandbox import PostgresSandbox
from services.payments.adapters.postgres_sandboxes import PostgresSandboxes
from services.payments.adapters.sandbox_bank import GrpcSandboxBank
from services.payments.api.sandbox import SandboxServicer
from services.payments.drains import Drains
from services.payments.listening import Listening
from services.payments.ports import Ports
from services.payments.removals import LOOK_SECONDS, Removals
from services.payments.setup.config import Settings
from services.payments.use_cases.expire import Expiry
from services.payments.use_cases.leases import Leases
from services.payments.use_cases.recover import Recovery


@asynccontextmanager
async def sandbox_on(
    pool: Pool | None,
    own_rows: MerchantPool,
    settings: Settings,
    bank: BankLine,
    authenticator: Authenticator,
    ports: Ports,
) -> AsyncIterator[SandboxServicer | None]:
    """Yield the sandbox's API on these pools; None if it has no pool of its own.

    While it is there, what is left of sandboxes that have ended is removed.
    """
    if pool is None:
        yield None
        return
    sandbox_bank = GrpcSandboxBank(
        lambda: bank.channel, timeout_seconds=settings.acquirer_call_timeout_seconds
    )
    kept = PostgresSandboxes if settings.shards is Shards.NONE else NoSandboxes
    key, sandboxes = as_secret(settings.hash_key), kept(pool)
    removals, store = Removals(sandboxes, sandbox_bank), PostgresSandbox(pool)
    expiry = Expiry(ports, Recovery(ports, Leases(ports.store)))
    async with meanwhile(repeat(removals.run_once, asyncio.Event(), seconds=LOOK_SECONDS)):
        yield SandboxServicer(
            store,
            sandbox_bank,
            sandboxes,
            KeyDigest(as_secret(settings.key_pepper)),
            authenticator,
            Once(pool, key),
            PostgresRequests(own_rows),
            PageTokens(key),
            Listening(PostgresListeners(pool)),
            Drains(store.due, expiry.run_once),
        )
