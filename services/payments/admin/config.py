"""Settings of the admin process; see `pkg.settings` for where they come from."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from pkg.loopback import LoopbackAddress
from pkg.settings import ServiceSettings


class AdminSettings(ServiceSettings):
    """What the process that serves the operator is told. Every field is `PAYGATE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="PAYGATE_")

    # Of a role that sees merchants and keys and no payment.
    admin_database_url: SecretStr
    admin_listen: LoopbackAddress = "127.0.0.1:50054"
    admin_token: SecretStr = Field(min_length=32, description="Who has it may do everything.")
    key_pepper: SecretStr = Field(min_length=64, description="Hex. API keys are hashed under it.")

    database_timeout_seconds: float = Field(default=2.0, gt=0)
    drain_seconds: float = Field(default=8.0, gt=0)
