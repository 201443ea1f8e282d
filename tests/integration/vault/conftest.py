"""A vault on each of its back ends."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from pkg.observe.metrics import Metrics
from pkg.postgres.sql import Pool, open_pool
from pkg.secret import Secret
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.postgres_cards import PostgresCards
from services.payments.adapters.vault import local as vault_local
from services.payments.adapters.vault.cards import CardVault
from services.payments.adapters.vault.keys import DataKeys, KeyWrapper
from services.payments.adapters.vault.local import LocalWrapper
from services.payments.adapters.vault.transit import TransitWrapper
from services.payments.api.codec import ProtoEvents
from tests.database import as_part
from tests.integration.store.changes import LEASE
from tests.integration.vault.openbao import KEY, OpenBao, openbao_running


@dataclass
class Counted:
    """A wrapper that counts how often it was asked, on top of the real one."""

    real: KeyWrapper
    calls: int = 0

    def __getattr__(self, name: str) -> object:
        self.calls += name in {"make", "unwrap"}
        return getattr(self.real, name)


@dataclass
class Fixture:
    """A vault as a worker has it, a store beside it, and a look behind both."""

    store: PostgresStore
    cards: PostgresCards
    wrapper: Counted
    vault_pool: Pool
    gateway_pool: Pool
    owner: Pool
    time: float = 0.0

    def worker(self, *, lifetime_seconds: float = 900, uses_max: int = 100_000) -> CardVault:
        """Return the vault of one more worker, which has nothing in memory yet."""
        return CardVault(self.vault_pool, self.keys(lifetime_seconds, uses_max))

    def keys(self, lifetime_seconds: float = 900, uses_max: int = 100_000) -> DataKeys:
        """Return the data keys of one more worker, by a clock that the test turns."""
        monotonic: Callable[[], float] = lambda: self.time  # noqa: E731  # reads the field anew
        return DataKeys(
            self.vault_pool,
            self.wrapper,  # type: ignore[arg-type]  # it is whatever it wraps
            lifetime_seconds=lifetime_seconds,
            uses_max=uses_max,
            monotonic=monotonic,
        )


@pytest.fixture(scope="session")
async def openbao(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OpenBao]:
    """The server that tests share which do not seal it."""
    async with openbao_running(tmp_path_factory.mktemp("openbao")) as server:
        yield server


@pytest.fixture
async def local(tmp_path: Path) -> KeyWrapper:
    """A file of keys."""
    vault_local.make(tmp_path / "keyring.json")
    return LocalWrapper(tmp_path / "keyring.json")


@pytest.fixture
async def transit(openbao: OpenBao) -> AsyncIterator[KeyWrapper]:
    """The server's key, with an operator's token."""
    token = Secret(openbao.operator_token)
    wrapper = TransitWrapper(openbao.url, token, key=KEY, timeout_seconds=5)
    yield wrapper
    await wrapper.close()


@pytest.fixture(params=["local", "transit"])
def wrapper(request: pytest.FixtureRequest) -> KeyWrapper:
    """Each of the two that wrap data keys."""
    found: KeyWrapper = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def vault(wrapper: KeyWrapper, payments_database_url: str) -> AsyncIterator[Fixture]:
    """A vault on an empty database."""
    async with AsyncExitStack() as stack:

        async def pool(url: str) -> Pool:
            opened = await open_pool(url, size=2, command_timeout_seconds=5, name="test")
            return await stack.enter_async_context(opened)

        gateway = await pool(as_part(payments_database_url, "paygate_gateway"))
        yield Fixture(
            PostgresStore(
                gateway, gateway, events=ProtoEvents(), clocks=SandboxClocks(), lease=LEASE
            ),
            PostgresCards(gateway, Metrics()),
            Counted(wrapper),
            vault_pool=await pool(as_part(payments_database_url, "paygate_vault")),
            gateway_pool=gateway,
            owner=await pool(payments_database_url),
        )
