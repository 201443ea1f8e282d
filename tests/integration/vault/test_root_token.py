"""A token of the vault that may do everything is not for production."""

import pytest
from pydantic import SecretStr

from pkg.errors import MisconfiguredError
from pkg.observe.metrics import Metrics
from pkg.postgres.sql import Pools
from pkg.process.mode import Mode
from services.payments.setup.open_vault import opened_vault
from services.payments.setup.vault_config import VaultSettings
from tests.database import as_part
from tests.integration.vault.openbao import KEY, OpenBao


async def opens(url: str, server: OpenBao, token: str, mode: Mode) -> None:
    """Open the vault as a process does."""
    settings = VaultSettings(
        mode=mode,
        vault="transit",
        vault_database_url=SecretStr(as_part(url, "paygate_vault")),
        vault_address=server.url,
        vault_token=SecretStr(token),
        vault_key=KEY,
    )
    metrics = Metrics()
    opening = opened_vault(
        settings, name="test", timeout_seconds=5, metrics=metrics, pools=Pools(metrics)
    )
    async with opening as vault:
        assert vault


async def test_production_refuses_a_root_token(
    openbao: OpenBao, payments_database_url: str
) -> None:
    """Whatever it looks like: the vault is asked. A token for one key is let in, in any mode."""
    for mode in Mode:
        await opens(payments_database_url, openbao, openbao.worker_token, mode)
    await opens(payments_database_url, openbao, openbao.root, Mode.SANDBOX)
    with pytest.raises(MisconfiguredError) as refused:
        await opens(payments_database_url, openbao, openbao.root, Mode.PRODUCTION)
    assert str(refused.value).startswith("PAYGATE_VAULT_TOKEN: is a root token")
    assert openbao.root not in str(refused.value)
