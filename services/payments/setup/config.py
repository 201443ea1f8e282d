"""Settings of the gateway; see `pkg.process.settings` for where they come from."""

from datetime import timedelta

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from pkg.process import timing
from pkg.process.mode import Mode
from pkg.process.production import Objection, Posture, too_much
from pkg.process.production_database import Database
from pkg.process.server_settings import AuthorityFile, ServerSettings
from pkg.process.settings import HexKey, time_of
from pkg.process.timing import Relation, Time
from services.payments.ports import Limits
from services.payments.setup.decline_config import DeclineSettings
from services.payments.setup.vault_config import VaultSettings
from services.payments.use_cases.sweep import STOP_SECONDS

# In production. AES-GCM with random nonces bears 2^32 under one key, and a worker that was broken
# into should have few.
DATA_KEY_LIFETIME_SECONDS_MAX, DATA_KEY_USES_MAX = 24 * 3600, 10_000_000
KEY_LIFETIME_SECONDS_MIN = 3600


class Settings(ServerSettings, VaultSettings, DeclineSettings):
    """What a process of the service is told. Every field is `PAYGATE_<NAME>` but the database's."""

    model_config = SettingsConfigDict(env_prefix="PAYGATE_")

    # None: the sandbox has what only tests need, such as a clock that can be turned.
    sandbox_api: bool | None = None

    # Each address is of a role of the database that can do no more than its part.
    database_url: SecretStr = Field(validation_alias="DATABASE_URL")
    # Without it, payments are looked at by the role of `database_url`, which sees everybody's.
    read_database_url: SecretStr | None = None
    sandbox_database_url: SecretStr | None = None
    listen: str = "127.0.0.1:50051"
    acquirer_address: str = "127.0.0.1:50052"
    acquirer_ca_file: AuthorityFile | None = None
    acquirer_server_name: str | None = None

    key_pepper: HexKey = Field(min_length=64, description="Hex. API keys are hashed under it.")
    hash_key: HexKey = Field(min_length=64, description="Hex. Fingerprints are made under it.")

    vault_data_key_lifetime_seconds: float = Field(default=900.0, gt=0)
    vault_data_key_uses_max: int = Field(default=100_000, gt=0)

    authorization_lifetime_seconds: int = Field(default=7 * 24 * 3600, gt=0)
    idempotency_key_lifetime_seconds: int = Field(default=24 * 3600, gt=0)
    card_retention_days: int = Field(default=400, gt=0, le=3650)

    # A request's time at the bank: the call, then one look at what became of it.
    acquirer_call_timeout_seconds: float = Field(default=2.8, gt=0)
    acquirer_inquiry_timeout_seconds: float = Field(default=0.5, gt=0)

    sweep_interval_seconds: float = Field(default=0.25, gt=0)

    database_pool_size: int = Field(default=4, gt=0)

    @property
    def has_sandbox_api(self) -> bool:
        """Whether there is what only tests need."""
        return self.mode is Mode.SANDBOX if self.sandbox_api is None else self.sandbox_api

    def posture(self, role: str) -> Posture:
        """Return what production looks at before a process in this role starts."""
        urls = (
            ("DATABASE_URL", self.database_url, "paygate_gateway"),
            ("PAYGATE_READ_DATABASE_URL", self.read_database_url, "paygate_reader"),
            ("PAYGATE_VAULT_DATABASE_URL", self.vault_database_url, "paygate_vault"),
        )
        return Posture(
            refused=self._refused(role),
            keys={
                "PAYGATE_KEY_PEPPER": self.key_pepper.get_secret_value(),
                "PAYGATE_HASH_KEY": self.hash_key.get_secret_value(),
            },
            databases={
                name: Database(
                    url=url.get_secret_value(), role=part, writes=part != "paygate_reader"
                )
                for name, url, part in urls
                if url
            },
            database_timeout_seconds=self.database_timeout_seconds,
        )

    def _refused(self, role: str) -> list[Objection]:
        is_server, has_vault = role == "serve", self.vault_database_url is not None
        return [
            *(self.refused_to_vaults() if is_server or has_vault else ()),
            too_much(
                "PAYGATE_VAULT_DATA_KEY_LIFETIME_SECONDS",
                self.vault_data_key_lifetime_seconds,
                most=DATA_KEY_LIFETIME_SECONDS_MAX,
            ),
            too_much(
                "PAYGATE_VAULT_DATA_KEY_USES_MAX",
                self.vault_data_key_uses_max,
                most=DATA_KEY_USES_MAX,
            ),
            Objection("PAYGATE_SANDBOX_API", "must not be on", self.sandbox_api is True),
            Objection(
                "PAYGATE_SANDBOX_DATABASE_URL",
                "must not be set",
                self.sandbox_database_url is not None,
            ),
            Objection(
                "PAYGATE_READ_DATABASE_URL",
                "is missing: the second wall between merchants would not stand",
                is_server and self.read_database_url is None,
            ),
            Objection(
                "PAYGATE_ACQUIRER_CA_FILE",
                "is missing: the bank would be sent card numbers in plain text",
                self.acquirer_ca_file is None,
            ),
            Objection(
                "PAYGATE_IDEMPOTENCY_KEY_LIFETIME_SECONDS",
                f"must be {KEY_LIFETIME_SECONDS_MIN:,} or more: a retry after that pays twice",
                self.idempotency_key_lifetime_seconds < KEY_LIFETIME_SECONDS_MIN,
            ),
            *((*self.refused_declines(), *self.refused_to_servers()) if is_server else ()),
            self.refused_to_observers(),
        ]

    @property
    def action_lease(self) -> timedelta:
        """When recovery may take up what a worker of these settings has begun."""
        return timing.action_lease(
            database=time_of(self, "database_timeout_seconds"),
            call=time_of(self, "acquirer_call_timeout_seconds"),
            inquiry=time_of(self, "acquirer_inquiry_timeout_seconds"),
            edge=time_of(self, "edge_timeout_seconds"),
        )

    def relations(self, role: str) -> list[Relation]:
        """Return how the times of a process in this role relate."""
        database = time_of(self, "database_timeout_seconds")
        grace = time_of(self, "termination_grace_seconds")
        if role == "sweep":
            broken_off = Time("what the sweep lets end", STOP_SECONDS)
            return [timing.of_end(broken_off, 2 * database, grace=grace)]
        edge = time_of(self, "edge_timeout_seconds")
        notice, drain = time_of(self, "drain_notice_seconds"), time_of(self, "drain_seconds")
        return [
            timing.of_reads(turn=self.turn, database=database, edge=edge),
            timing.of_writes(
                vault=time_of(self, "vault_timeout_seconds"),
                call=time_of(self, "acquirer_call_timeout_seconds"),
                inquiry=time_of(self, "acquirer_inquiry_timeout_seconds"),
                edge=edge,
            ),
            timing.of_end(notice, drain, grace=grace),
        ]

    @property
    def limits(self) -> Limits:
        """How long things last."""
        return Limits(
            authorization_lifetime=timedelta(seconds=self.authorization_lifetime_seconds),
            key_lifetime=timedelta(seconds=self.idempotency_key_lifetime_seconds),
            card_retention=timedelta(days=self.card_retention_days),
        )
