"""Settings of the gateway; see `pkg.settings` for where they come from."""

from datetime import timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from pkg.mode import Mode
from pkg.production import Posture, Refused
from pkg.server_settings import AuthorityFile, ServerSettings
from pkg.settings import HexKey
from services.payments.ports import Limits


class Settings(ServerSettings):
    """What a process of the service is told. Every field is `PAYGATE_<NAME>` but the database's."""

    model_config = SettingsConfigDict(env_prefix="PAYGATE_")

    # None: the sandbox has what only tests need, such as a clock that can be turned.
    sandbox_api: bool | None = None

    # Each address is of a role of the database that can do no more than its part.
    database_url: SecretStr = Field(validation_alias="DATABASE_URL")
    sandbox_database_url: SecretStr | None = None
    listen: str = "127.0.0.1:50051"
    acquirer_address: str = "127.0.0.1:50052"
    acquirer_ca_file: AuthorityFile | None = None
    acquirer_server_name: str | None = None

    key_pepper: HexKey = Field(min_length=64, description="Hex. API keys are hashed under it.")
    hash_key: HexKey = Field(min_length=64, description="Hex. Fingerprints are made under it.")

    # Where cards are kept. `local`: data keys are wrapped by a key in a file; `transit`: by
    # HashiCorp Vault or OpenBao. The sweep needs no cards, and so none of this.
    vault: Literal["local", "transit"] = "local"
    vault_database_url: SecretStr | None = None
    vault_keyring: Path | None = None
    vault_address: str | None = None
    vault_token: SecretStr | None = None
    vault_key: str = "paygate"
    vault_ca_file: Path | None = None
    vault_timeout_seconds: float = Field(default=0.8, gt=0)
    vault_data_key_lifetime_seconds: float = Field(default=900.0, gt=0)
    vault_data_key_uses_max: int = Field(default=100_000, gt=0)

    authorization_lifetime_seconds: int = Field(default=7 * 24 * 3600, gt=0)
    idempotency_key_lifetime_seconds: int = Field(default=24 * 3600, gt=0)

    # A request's time at the bank: the call, then one look at what became of it. Together they stay
    # under the 5 s that the edge waits.
    acquirer_call_timeout_seconds: float = Field(default=2.8, gt=0)
    acquirer_inquiry_timeout_seconds: float = Field(default=0.5, gt=0)

    # Longer than any call may take, so that recovery never meets a worker that still waits.
    action_lease_seconds: float = Field(default=10.0, gt=0)
    sweep_interval_seconds: float = Field(default=0.25, gt=0)

    database_pool_size: int = Field(default=4, gt=0)
    database_timeout_seconds: float = Field(default=2.0, gt=0)
    drain_seconds: float = Field(default=8.0, gt=0)

    @model_validator(mode="after")
    def _name_all_of_the_vault(self) -> Self:
        if self.vault_database_url:
            if self.vault == "local" and not self.vault_keyring:
                raise ValueError("PAYGATE_VAULT_KEYRING must name the local vault's file of keys")
            if self.vault == "transit" and not (self.vault_address and self.vault_token):
                raise ValueError("PAYGATE_VAULT_ADDRESS and PAYGATE_VAULT_TOKEN are both needed")
        return self

    @property
    def has_sandbox_api(self) -> bool:
        """Whether there is what only tests need."""
        return self.mode is Mode.SANDBOX if self.sandbox_api is None else self.sandbox_api

    def posture(self, role: str) -> Posture:
        """Return what production looks at before a process in this role starts."""
        asks_bank = role in {"serve", "sweep"}
        return Posture(
            refused=[
                Refused(
                    "PAYGATE_VAULT",
                    "the local keyring is for the sandbox: take transit",
                    role == "serve" and self.vault == "local",  # the sweep needs no cards
                ),
                Refused(
                    "PAYGATE_VAULT_ADDRESS",
                    "must be an https address: data keys would be sent in plain text",
                    not (self.vault_address or "https:").startswith("https:"),
                ),
                Refused("PAYGATE_SANDBOX_API", "must not be on", self.sandbox_api is True),
                Refused(
                    "PAYGATE_SANDBOX_DATABASE_URL",
                    "must not be set",
                    self.sandbox_database_url is not None,
                ),
                Refused(
                    "PAYGATE_ACQUIRER_CA_FILE",
                    "is missing: the bank would be sent card numbers in plain text",
                    asks_bank and self.acquirer_ca_file is None,
                ),
                *(self.refused_to_servers() if role == "serve" else ()),
            ],
            keys={
                "PAYGATE_KEY_PEPPER": self.key_pepper.get_secret_value(),
                "PAYGATE_HASH_KEY": self.hash_key.get_secret_value(),
            },
            database_urls={
                name: url.get_secret_value()
                for name, url in (
                    ("DATABASE_URL", self.database_url),
                    ("PAYGATE_VAULT_DATABASE_URL", self.vault_database_url),
                )
                if url
            },
            database_timeout_seconds=self.database_timeout_seconds,
        )

    @property
    def limits(self) -> Limits:
        """How long things last."""
        return Limits(
            authorization_lifetime=timedelta(seconds=self.authorization_lifetime_seconds),
            key_lifetime=timedelta(seconds=self.idempotency_key_lifetime_seconds),
        )
