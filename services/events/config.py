"""Settings of the events service; see `pkg.process.settings` for where they come from."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from pkg.postgres.shards import Shards
from pkg.process import timing
from pkg.process.production import Objection, Posture
from pkg.process.production_database import Database
from pkg.process.server_settings import AuthorityFile, ServerSettings
from pkg.process.settings import HexKey, time_of
from pkg.process.timing import Relation
from services.events.deliver import DeliveryLimits
from services.events.relay import RelayLimits


def _ports(text: object) -> object:
    return text.split(",") if isinstance(text, str) and text else text or ()


class Settings(ServerSettings):
    """What a process of the service is told. Every field is `PAYGATE_<NAME>` but the database's."""

    model_config = SettingsConfigDict(env_prefix="PAYGATE_")

    database_url: SecretStr = Field(validation_alias="DATABASE_URL")
    # Whether that is a cluster's coordinator, and merchants are on its nodes.
    shards: Shards = Shards.NONE
    listen: str = "127.0.0.1:50053"
    # Secret, since it may hold a password.
    nats_url: SecretStr | None = None
    nats_ca_file: AuthorityFile | None = None

    key_pepper: HexKey = Field(min_length=64, description="Hex. API keys are hashed under it.")
    hash_key: HexKey = Field(min_length=64, description="Hex. Page tokens are sealed under it.")
    webhook_key: HexKey = Field(
        min_length=64, max_length=64, description="Hex. Signing secrets are encrypted under it."
    )

    event_retention_days: int = Field(default=30, gt=0, le=3650)
    # An attempt may take half of it, but never more than 15 s.
    delivery_lease_seconds: float = Field(default=30.0, gt=0)
    deliveries_under_way_max: int = Field(default=512, gt=0)
    deliveries_under_way_per_merchant_max: int = Field(default=64, gt=0)
    deliveries_under_way_per_endpoint_max: int = Field(default=16, gt=0)

    # Of this machine's loopback interface, where paygate itself listens; with commas.
    webhook_ports_refused: Annotated[frozenset[int], NoDecode, BeforeValidator(_ports)] = (
        frozenset()
    )

    database_pool_size: int = Field(default=4, gt=0)

    def relations(self, role: str) -> list[Relation]:
        """Return how the times of a process in this role relate."""
        grace, drain = time_of(self, "termination_grace_seconds"), time_of(self, "drain_seconds")
        if role == "relay":
            return [timing.of_end(drain, grace=grace)]
        return [
            timing.of_reads(
                turn=self.turn,
                database=time_of(self, "database_timeout_seconds"),
                edge=time_of(self, "edge_timeout_seconds"),
            ),
            timing.of_end(time_of(self, "drain_notice_seconds"), drain, grace=grace),
        ]

    def posture(self, role: str) -> Posture:
        """Return what production looks at before a process in this role starts."""
        return Posture(
            refused=[
                *(self.refused_to_servers() if role == "serve" else ()),
                self.refused_to_observers(),
                Objection(
                    "PAYGATE_NATS_URL",
                    "must be tls:// throughout: events would be sent in plain text",
                    not self._speaks_tls_to_bus(),
                ),
            ],
            keys={
                "PAYGATE_KEY_PEPPER": self.key_pepper.get_secret_value(),
                "PAYGATE_HASH_KEY": self.hash_key.get_secret_value(),
                "PAYGATE_WEBHOOK_KEY": self.webhook_key.get_secret_value(),
            },
            databases={
                "DATABASE_URL": Database(
                    url=self.database_url.get_secret_value(),
                    role="paygate_webhooks" if role == "serve" else "paygate_events",
                )
            },
            database_timeout_seconds=self.database_timeout_seconds,
        )

    def _speaks_tls_to_bus(self) -> bool:
        url = self.nats_url.get_secret_value() if self.nats_url else "tls://"
        return all(server.strip().startswith("tls://") for server in url.split(","))

    @property
    def own_ports(self) -> frozenset[int]:
        """Where on the loopback interface paygate itself listens."""
        own = [self.listen, self.metrics_listen or ""]
        ports = (listen.rpartition(":")[2] for listen in own)
        return self.webhook_ports_refused | {int(port) for port in ports if port.isdigit()}

    @property
    def relay_limits(self) -> RelayLimits:
        """What bounds the relay."""
        return RelayLimits(keep=timedelta(days=self.event_retention_days))

    @property
    def delivery_limits(self) -> DeliveryLimits:
        """What bounds deliveries."""
        return DeliveryLimits(
            under_way_max=self.deliveries_under_way_max,
            under_way_per_merchant_max=self.deliveries_under_way_per_merchant_max,
            under_way_per_endpoint_max=self.deliveries_under_way_per_endpoint_max,
            lease=timedelta(seconds=self.delivery_lease_seconds),
        )
