"""Settings of the admin process; see `pkg.process.settings` for where they come from."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from pkg.process import timing
from pkg.process.loopback import LoopbackAddress
from pkg.process.production import Objection, Posture, is_guessable
from pkg.process.production_database import Database
from pkg.process.server_settings import GrpcSettings
from pkg.process.settings import time_of
from pkg.process.timing import Relation
from services.payments.setup.vault_config import VaultSettings

# Of 64 hexadecimal digits all 16 are there, but for one token in four.
TOKEN_CHARACTERS_DIFFERENT_MIN = 10


class AdminSettings(GrpcSettings, VaultSettings):
    """What the process that serves the operator is told. Every field is `PAYGATE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="PAYGATE_")

    # Of a role that sees merchants and keys, and of payments only actions that are in doubt.
    admin_database_url: SecretStr
    admin_listen: LoopbackAddress = "127.0.0.1:50054"
    admin_token: SecretStr = Field(min_length=32, description="Who has it may do everything.")
    key_pepper: SecretStr = Field(min_length=64, description="Hex. API keys are hashed under it.")

    database_timeout_seconds: float = Field(default=2.0, gt=0)

    def relations(self, role: str) -> list[Relation]:  # noqa: ARG002  # it has but one
        """Return how the times of this process relate."""
        grace = time_of(self, "termination_grace_seconds")
        return [timing.of_end(time_of(self, "drain_seconds"), grace=grace)]

    def posture(self, role: str) -> Posture:  # noqa: ARG002  # it has but one
        """Return what production looks at before this process starts."""
        token = self.admin_token.get_secret_value()
        return Posture(
            refused=(
                self.refused_to_observers(),
                *(self.refused_to_vaults() if self.vault_database_url else ()),
                Objection(
                    "PAYGATE_ADMIN_TOKEN",
                    "has a pattern: make it with `openssl rand -hex 32`",
                    is_guessable(token.encode(), different_min=TOKEN_CHARACTERS_DIFFERENT_MIN),
                ),
            ),
            keys={"PAYGATE_KEY_PEPPER": self.key_pepper.get_secret_value()},
            databases={
                name: Database(url=url.get_secret_value(), role=role)
                for name, url, role in (
                    ("PAYGATE_ADMIN_DATABASE_URL", self.admin_database_url, "paygate_admin"),
                    ("PAYGATE_VAULT_DATABASE_URL", self.vault_database_url, "paygate_vault"),
                )
                if url
            },
            database_timeout_seconds=self.database_timeout_seconds,
        )
