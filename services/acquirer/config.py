"""The bank's settings, from the environment or from a secrets folder."""

import os

from pydantic import PositiveFloat, PositiveInt, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Config(BaseSettings):
    """Every setting, limit and timeout of the bank. Each field is `ACQUIRER_<NAME>`.

    A secret may also stand in a file of the folder `ACQUIRER_SECRETS_DIR`, named like its variable
    in lower case.
    """

    model_config = SettingsConfigDict(env_prefix="ACQUIRER_", hide_input_in_errors=True)

    database_url: SecretStr  # may hold a password
    listen: str = "127.0.0.1:50052"

    outage_seconds: float = 1.5  # how long a lost request or reply leaves its reference in doubt
    slow_seconds: float = 2.0  # how long the slow card's operations take

    pool_connections_max: PositiveInt = 8
    statement_seconds_max: PositiveFloat = 5.0
    calls_max: PositiveInt = 1_000  # running at once; more are refused
    drain_seconds: PositiveFloat = 5.0
    connect_attempts_max: PositiveInt = 60
    connect_pause_seconds: float = 0.5


def load_config() -> Config:
    """Return the settings of this process.

    Raises:
        pydantic.ValidationError: Something is missing or wrong; it is named, without its value.
    """
    # Given at run time: pydantic-settings reads no folder's name from the environment by itself.
    return Config(_secrets_dir=os.environ.get("ACQUIRER_SECRETS_DIR"))  # type: ignore[call-arg]
