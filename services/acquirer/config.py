"""The bank's settings; see `pkg.process.settings` for where they come from."""

from pydantic import PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import SettingsConfigDict

from pkg.process import timing
from pkg.process.production import Posture
from pkg.process.production_database import Database
from pkg.process.server_settings import GrpcSettings, TlsSettings
from pkg.process.settings import time_of
from pkg.process.starting import RoleSettings
from pkg.process.timing import Relation


class Config(TlsSettings, GrpcSettings, RoleSettings):
    """Every setting, limit and timeout of the bank. Each field is `ACQUIRER_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="ACQUIRER_")

    database_url: SecretStr  # may hold a password
    listen: str = "127.0.0.1:50052"

    outage_seconds: float = 1.5  # how long a lost request or reply leaves its reference in doubt
    slow_seconds: float = 2.0  # how long the slow card's operations take

    pool_connections_max: PositiveInt = 8
    statement_seconds_max: PositiveFloat = 5.0
    calls_max: PositiveInt = 1_000  # at once; more are refused, and on lines not read
    drain_seconds: PositiveFloat = 5.0
    connect_attempts_max: PositiveInt = 60
    connect_pause_seconds: float = 0.5

    def relations(self, role: str) -> list[Relation]:  # noqa: ARG002  # it has but one
        """Return how the times of this process relate."""
        grace = time_of(self, "termination_grace_seconds")
        return [timing.of_end(time_of(self, "drain_seconds"), grace=grace)]

    def posture(self, role: str) -> Posture:  # noqa: ARG002  # it has but one
        """Return what production looks at before the bank starts."""
        url = self.database_url.get_secret_value()
        return Posture(
            refused=[*self.refused_to_listeners(), self.refused_to_observers()],
            keys={},
            databases={"ACQUIRER_DATABASE_URL": Database(url=url, role=None)},
            database_timeout_seconds=self.statement_seconds_max,
        )
