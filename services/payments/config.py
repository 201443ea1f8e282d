"""Settings of the gateway; see `pkg.settings` for where they come from."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from pkg.settings import ServiceSettings
from services.payments.ports import Limits


class Settings(ServiceSettings):
    """What a process of the service is told. Every field is `PAYGATE_<NAME>` but the database's."""

    model_config = SettingsConfigDict(env_prefix="PAYGATE_")

    # What only tests need, such as a clock that can be turned, is there in the sandbox alone.
    mode: Literal["sandbox", "production"] = "sandbox"

    # Each address is of a role of the database that can do no more than its part.
    database_url: SecretStr = Field(validation_alias="DATABASE_URL")
    # Without it, payments are looked at by the role of `database_url`, which sees everybody's.
    read_database_url: SecretStr | None = None
    sandbox_database_url: SecretStr | None = None
    listen: str = "127.0.0.1:50051"
    acquirer_address: str = "127.0.0.1:50052"

    key_pepper: SecretStr = Field(min_length=64, description="Hex. API keys are hashed under it.")
    hash_key: SecretStr = Field(min_length=64, description="Hex. Fingerprints are made under it.")

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

    @property
    def limits(self) -> Limits:
        """How long things last."""
        return Limits(
            authorization_lifetime=timedelta(seconds=self.authorization_lifetime_seconds),
            key_lifetime=timedelta(seconds=self.idempotency_key_lifetime_seconds),
        )
