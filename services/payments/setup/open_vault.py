"""Opens the vault that the settings ask for, and keeps it in order while it is open."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pkg.errors import MisconfiguredError
from pkg.observe.health import Check
from pkg.observe.metrics import Metrics
from pkg.observe.tracing import Tracer
from pkg.postgres.shards.opening import open_database
from pkg.postgres.sql import Pool, Pools, translated
from pkg.process.mode import Mode
from pkg.process.repeating import meanwhile
from pkg.process.settings import as_secret
from services.payments.adapters.tally import MeteredVault, MeteredWrapper, VaultMeter
from services.payments.adapters.vault import local as vault_local
from services.payments.adapters.vault.cards import SQL, CardVault
from services.payments.adapters.vault.keys import DataKeys
from services.payments.adapters.vault.local import KeyringError, LocalWrapper
from services.payments.adapters.vault.rotation import VaultRotation
from services.payments.ports import Vault
from services.payments.setup.vault_config import VaultSettings

if TYPE_CHECKING:
    from services.payments.adapters.vault.transit import TransitWrapper

# A new data key is a row, a stored card a read: few at a time.
CONNECTIONS = 2
PURGE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class OpenVault:
    """The vault, what an operator does to it, and whether it can be used."""

    cards: Vault
    rotation: VaultRotation
    is_open: Check


@asynccontextmanager
async def opened_vault(
    settings: VaultSettings,
    *,
    name: str,
    timeout_seconds: float,
    metrics: Metrics,
    pools: Pools,
    lifetime_seconds: float = 900.0,
    uses_max: int = 100_000,
    tracer: Tracer | None = None,
) -> AsyncIterator[OpenVault | None]:
    """Open the vault, unless this process has no role for it.

    Args:
        settings: Have been checked to name all of it, or nothing.
        name: The application's, as PostgreSQL shows it.
        timeout_seconds: For a statement.
        metrics: Where its operations are counted.
        pools: Where its connections are shown.
        lifetime_seconds: How long a data key stays in memory.
        uses_max: How many cards it encrypts.
        tracer: Records what it is asked; None for nobody.

    Raises:
        KeyringError: The file of keys can't be used.
        MisconfiguredError: The vault's token is not fit for production.
        DependencyUnavailableError: The database does not answer.
    """
    if settings.vault_database_url is None:
        yield None
        return
    pool = await open_database(
        settings.vault_database_url.get_secret_value(),
        settings.shards,
        size=CONNECTIONS,
        command_timeout_seconds=timeout_seconds,
        name=name,
        tracer=tracer,
    )
    pools.add("vault", pool)
    async with pool, _wrapper(settings, pool, tracer) as wrapper:
        meter = VaultMeter(metrics)
        metered = MeteredWrapper(wrapper, meter)
        _show_sealed(metrics, wrapper)
        keys = DataKeys(pool, metered, lifetime_seconds=lifetime_seconds, uses_max=uses_max)
        transit = None if isinstance(wrapper, LocalWrapper) else wrapper
        watching = meanwhile(transit.watch(keys.drop)) if transit else nullcontext()
        async with meanwhile(_purge(keys)), watching:
            yield OpenVault(
                MeteredVault(CardVault(pool, keys), meter),
                VaultRotation(pool, metered),
                partial(_is_open, wrapper),
            )


def _show_sealed(metrics: Metrics, wrapper: "LocalWrapper | TransitWrapper") -> None:
    metrics.reading(
        "paygate_vault_sealed",
        "1 while the vault is sealed, or gone for longer than keys are kept: no new cards then.",
        (),
        lambda: [((), int(not isinstance(wrapper, LocalWrapper) and wrapper.is_sealed))],
    )


async def _is_open(wrapper: "LocalWrapper | TransitWrapper") -> bool:
    if not isinstance(wrapper, LocalWrapper):
        return not wrapper.is_sealed
    await wrapper.newest()  # reads the file
    return True


async def _purge(keys: DataKeys) -> None:
    while True:
        await asyncio.sleep(PURGE_SECONDS)
        keys.purge()


@asynccontextmanager
async def _wrapper(
    settings: VaultSettings, pool: Pool, tracer: Tracer | None
) -> AsyncIterator["LocalWrapper | TransitWrapper"]:
    if settings.vault == "local":
        assert settings.vault_keyring
        yield await _local(settings.vault_keyring, pool)
        return
    assert settings.vault_address
    assert settings.vault_token
    # Who has no such vault need not wait until an HTTP client is imported.
    from services.payments.adapters.vault.transit import TransitWrapper  # noqa: PLC0415

    ca_file = settings.vault_ca_file
    transit = TransitWrapper(
        settings.vault_address,
        as_secret(settings.vault_token),
        key=settings.vault_key,
        timeout_seconds=settings.vault_timeout_seconds,
        tls=ssl.create_default_context(cafile=ca_file) if ca_file else None,
        tracer=tracer,
    )
    try:
        if settings.mode is Mode.PRODUCTION and await transit.has_root_token():
            raise MisconfiguredError(
                "PAYGATE_VAULT_TOKEN: is a root token, which may do everything"
            )
        yield transit
    finally:
        await transit.close()


async def _local(path: Path, pool: Pool) -> LocalWrapper:
    if not vault_local.exists(path):
        with translated():
            in_use = await pool.fetch(SQL["has_local_keys"])  # a row for each shard
        if any(row["exists"] for row in in_use):
            # A new key would open none of the cards that there are.
            raise KeyringError(f"{path} is missing, and there are cards under it: bring it back")
        vault_local.make(path)
    vault_local.read(path)
    return LocalWrapper(path)
