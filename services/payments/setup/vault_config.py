"""Settings of the card vault, for the processes that have to do with cards."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from pkg.postgres.shards import Shards
from pkg.process.production import Objection, is_weak
from pkg.process.starting import RoleSettings


class VaultSettings(RoleSettings):
    """Where cards are kept: one database role, and who wraps the keys.

    `local`: a key in a file; `transit`: HashiCorp Vault or OpenBao. A process without the role has
    nothing to do with cards.
    """

    # Whether each database address is of a cluster's coordinator, and merchants are on its nodes.
    shards: Shards = Shards.NONE

    vault: Literal["local", "transit"] = "local"
    vault_database_url: SecretStr | None = None
    vault_keyring: Path | None = None
    vault_address: str | None = None
    vault_token: SecretStr | None = None
    vault_key: str = "paygate"
    vault_ca_file: Path | None = None
    vault_timeout_seconds: float = Field(default=0.8, gt=0)

    @model_validator(mode="after")
    def _name_all_of_the_vault(self) -> Self:
        if self.vault_database_url:
            if self.vault == "local" and not self.vault_keyring:
                raise ValueError("PAYGATE_VAULT_KEYRING must name the local vault's file of keys")
            if self.vault == "transit" and not (self.vault_address and self.vault_token):
                raise ValueError("PAYGATE_VAULT_ADDRESS and PAYGATE_VAULT_TOKEN are both needed")
        return self

    def refused_to_vaults(self) -> tuple[Objection, ...]:
        """Return what production looks at."""
        return (
            Objection(
                "PAYGATE_VAULT",
                "the local keyring is for the sandbox: take transit",
                self.vault == "local",
            ),
            Objection(
                "PAYGATE_VAULT_ADDRESS",
                "must be an https address: data keys would be sent in plain text",
                not (self.vault_address or "https:").startswith("https:"),
            ),
            Objection(
                "PAYGATE_VAULT_TOKEN",
                "is short or has a pattern, as that of a vault for development",
                self.vault_token is not None and is_weak(self.vault_token.get_secret_value()),
            ),
        )
