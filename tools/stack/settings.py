"""What the environment says about the local stack, and where its files are."""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pkg.postgres.shards import Shards
from pkg.process.data_folder import ADMIN_ENV, data_dir
from tools.edge.tracing import Traces, wanted
from tools.stack.errors import StackError

REPOSITORY = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
# For a container, which others reach by its own address. Nothing is encrypted there.
EVERYWHERE = "0.0.0.0"  # noqa: S104 - only where somebody asks for it
PORT_DEFAULT = 8080
USERS_DATA = Path.home() / ".local" / "share"
# As root the services run as another user, who may not enter root's home.
KEYRINGS_OF_ROOT = Path("/var/lib/paygate-keys")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The environment, checked.

    Attributes:
        port: Where Envoy listens.
        host: At which address: the loopback interface's, or everybody's (`EVERYWHERE`).
        data_dir: Absolute; holds everything that outlives a run.
        workers: How many payments processes serve.
        database_url: The gateway's database; empty for the embedded PostgreSQL.
        acquirer_database_url: The bank's database; empty to derive it from `database_url`.
        keyring: The file of keys that cards are encrypted under: never beside what it opens.
        shards: Whether `database_url` is of a cluster; see `PAYGATE_SHARDS` of the services.
        traces: Where the edge sends spans; the services read the same variables by themselves.
    """

    port: int
    host: str = HOST
    data_dir: Path
    workers: int
    database_url: str
    acquirer_database_url: str
    keyring: Path
    shards: str = Shards.NONE
    traces: Traces | None = None

    @property
    def url(self) -> str:
        """The gateway's REST address."""
        return f"http://{HOST}:{self.port}"

    @property
    def logs(self) -> Path:
        """Where each process writes what it prints."""
        return self.data_dir / "logs"

    @property
    def run(self) -> Path:
        """Files that mean something only while the stack runs."""
        return self.data_dir / "run"

    @property
    def processes(self) -> Path:
        """The ids of the running processes, by name."""
        return self.run / "processes.json"

    @property
    def metrics_targets(self) -> Path:
        """Where each process shows its metrics; there only while the stack serves."""
        return self.run / "metrics.json"

    @property
    def secrets(self) -> Path:
        """Secret files, in the format of pydantic-settings' `secrets_dir`."""
        return self.data_dir / "secrets"

    @property
    def demo_env(self) -> Path:
        """Address and key for scripts; there only while the stack serves."""
        return self.data_dir / "demo.env"

    @property
    def admin_env(self) -> Path:
        """How the operator's process is reached; there only while the stack serves."""
        return self.data_dir / ADMIN_ENV


def load(environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises:
        StackError: A value makes no sense.
    """
    folder = data_dir(environment)
    return Settings(
        port=_integer(environment, "PAYGATE_PORT", PORT_DEFAULT, highest=65535),
        host=_host(environment),
        data_dir=folder,
        workers=_integer(environment, "PAYGATE_WORKERS", _cores(), highest=256),
        database_url=environment.get("DATABASE_URL", ""),
        acquirer_database_url=environment.get("ACQUIRER_DATABASE_URL", ""),
        keyring=_keyring(environment, folder),
        shards=environment.get("PAYGATE_SHARDS", Shards.NONE),
        traces=_traces(environment),
    )


def _host(environment: Mapping[str, str]) -> str:
    host = environment.get("PAYGATE_HOST", "") or HOST
    if host not in {HOST, EVERYWHERE}:
        raise StackError(f"PAYGATE_HOST must be {HOST} or {EVERYWHERE}, not {host!r}.")
    return host


def _traces(environment: Mapping[str, str]) -> Traces | None:
    try:
        return wanted(environment)
    except ValueError as problem:
        raise StackError(f"OTEL_…: {problem}.") from None


def _keyring(environment: Mapping[str, str], folder: Path) -> Path:
    """Return where the user's own data is kept: outside the repository and the data folder."""
    chosen = environment.get("PAYGATE_VAULT_KEYRING", "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    home = environment.get("XDG_DATA_HOME", "")
    which = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    if os.geteuid() == 0 and not home:
        return KEYRINGS_OF_ROOT / which / "keyring.json"
    return Path(home or USERS_DATA) / "paygate" / f"keyring-{which}.json"


def keyring_before(settings: Settings) -> Path | None:
    """Return where older versions had root's keyring; None if it was chosen."""
    folder = settings.keyring.parent
    if folder.parent != KEYRINGS_OF_ROOT:
        return None
    return USERS_DATA / "paygate" / f"keyring-{folder.name}.json"


def _integer(environment: Mapping[str, str], name: str, default: int, *, highest: int) -> int:
    text = environment.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= highest):
        raise StackError(f"{name} must be a whole number from 1 to {highest}, not {text!r}.")
    return int(text)


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        return os.cpu_count() or 1
