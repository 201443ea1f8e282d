"""What the sandbox has and production does not."""

from pkg.grpc.auth import Authenticator
from pkg.grpc.paging import PageTokens
from pkg.postgres.sql import Pool
from pkg.postgres.tenancy import MerchantPool
from pkg.process.settings import as_secret
from pkg.replies.once import Once
from services.payments.adapters.bank_line import BankLine
from services.payments.adapters.postgres_listeners import PostgresListeners
from services.payments.adapters.postgres_requests import PostgresRequests
from services.payments.adapters.postgres_sandbox import PostgresSandbox
from services.payments.adapters.sandbox_bank import GrpcSandboxBank
from services.payments.api.sandbox import SandboxServicer
from services.payments.listening import Listening
from services.payments.setup.config import Settings


def sandbox_on(
    pool: Pool | None,
    own_rows: MerchantPool,
    settings: Settings,
    bank: BankLine,
    authenticator: Authenticator,
) -> SandboxServicer | None:
    """Return the sandbox's API on these pools; None if it has no pool of its own."""
    if pool is None:
        return None
    sandbox_bank = GrpcSandboxBank(
        lambda: bank.channel, timeout_seconds=settings.acquirer_call_timeout_seconds
    )
    key = as_secret(settings.hash_key)
    return SandboxServicer(
        PostgresSandbox(pool),
        sandbox_bank,
        authenticator,
        Once(pool, key),
        PostgresRequests(own_rows),
        PageTokens(key),
        Listening(PostgresListeners(pool)),
    )
