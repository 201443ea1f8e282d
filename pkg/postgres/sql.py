"""PostgreSQL through asyncpg: statements from files, pools, and one place for its errors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

import asyncpg

from pkg.errors import DependencyUnavailableError
from pkg.observe.metrics import Metrics
from pkg.observe.tracing import Tracer
from pkg.postgres.connection import (
    PROBE_AFTER_SECONDS,
    PROBE_SECONDS,
    PROBES,
    SILENT_SECONDS_MAX,
    Connection,
    NotReplicatedError,
)
from pkg.postgres.group_commit import GroupCommit
from pkg.postgres.pool import PatientPool
from pkg.postgres.servers import REFUSALS, addresses_of

# The driver's pool takes its parameter only from type checkers.
if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Pool = asyncpg.Pool

# Whoever writes rows that lists show begins each connection with it; see the migration that has it.
BEGIN_COMMIT_ERA = "SELECT begin_commit_era()"

# The database is away or overloaded; nothing is wrong with the request.
_UNAVAILABLE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # What the driver says when it loses a connection between two steps of a first statement.
    asyncpg.InternalClientError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresSystemError,  # its disk
    # It was the primary, or shall not be written to for now.
    asyncpg.ReadOnlySQLTransactionError,
    # It took us for gone.
    asyncpg.IdleInTransactionSessionTimeoutError,
    NotReplicatedError,
    # It lets nobody in any more: the connections that there were had the same login.
    *REFUSALS,
)


class Row(Protocol):
    """A row of the database, by column name."""

    def __getitem__(self, column: str, /) -> Any:
        """Return the column's value."""


def statements(folder: Path) -> Mapping[str, str]:
    """Return the statements of a folder's `.sql` files by the files' names."""
    return {path.stem: path.read_text("utf-8") for path in folder.glob("*.sql")}


class translated:  # noqa: N801  # used as a function is
    """Turn the driver's errors into ours, here and nowhere else: `with translated(): …`."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Nothing to do before."""

    def __exit__(
        self, _kind: type[BaseException] | None, problem: BaseException | None, _trace: object
    ) -> None:
        """Raise DependencyUnavailableError for what says that the database is away."""
        if isinstance(problem, _UNAVAILABLE):
            raise DependencyUnavailableError from problem


class opening(translated):  # noqa: N801  # used as a function is
    """The same where nobody was let in before: then it is the address that is wrong."""

    __slots__ = ()

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: object
    ) -> None:
        """Raise DependencyUnavailableError, except for what no waiting helps against."""
        if not isinstance(problem, REFUSALS):
            super().__exit__(kind, problem, trace)


class Proof:
    """Tells whether what was read is kept, for all at once who want to know.

    A row that is found is no proof of that: somebody may have ended its commit's wait for the
    standbys. It is one when a later commit has been waited for.

    Args:
        pool: Of the database that was read.
        wait_seconds_max: How long it may take until it is asked.
        tracer: Records the groups; None for nobody.
    """

    def __init__(
        self, pool: Pool, *, wait_seconds_max: float = 2.0, tracer: Tracer | None = None
    ) -> None:
        self._pool = pool
        self._groups: GroupCommit[None, None] = GroupCommit(
            self._ensure_kept, wait_seconds_max=wait_seconds_max, tracer=tracer, name="kept"
        )

    async def ensure_kept(self) -> None:
        """Return when all that was read before is kept; without a standby, at once.

        Raises:
            DependencyUnavailableError: Nobody can tell now.
        """
        with translated():
            await self._groups.result_of(None)

    async def _ensure_kept(self, asked: Sequence[None]) -> Sequence[None]:
        async with self._pool.acquire() as connection:
            await cast("Connection", connection).ensure_kept()
        return asked


class Pools:
    """What is shown of the pools of a process; they are asked when the metrics are read."""

    def __init__(self, metrics: Metrics) -> None:
        self._pools: dict[str, Pool] = {}
        metrics.reading(
            "paygate_pool_connections",
            "Connections to the database.",
            ("pool", "state"),
            self._connections,
        )
        metrics.counted_elsewhere(
            "paygate_pool_waits_total",
            "How often somebody found no free connection and waited for one.",
            ("pool",),
            lambda: [
                ((name,), pool.waits)
                for name, pool in self._pools.items()
                if isinstance(pool, PatientPool)
            ],
        )

    def add(self, name: str, pool: Pool) -> None:
        """Show a pool by that name, in the place of one that had it before."""
        self._pools[name] = pool

    async def answers(self, name: str) -> bool:
        """Tell whether a statement goes through a pool."""
        pool = self._pools.get(name)
        return pool is not None and await pool.fetchval("SELECT 1") == 1

    def _connections(self) -> Iterator[tuple[tuple[str, str], float]]:
        for name, pool in self._pools.items():
            idle = pool.get_idle_size()
            yield (name, "idle"), idle
            yield (name, "used"), pool.get_size() - idle


async def open_pool(
    url: str,
    *,
    size: int,
    command_timeout_seconds: float,
    name: str,
    tracer: Tracer | None = None,
    first: str | Callable[[], str] | None = None,
    writes: bool = True,
    statements_max: int = 100,
    more_settings: Mapping[str, str] | None = None,
) -> Pool:
    """Open a pool of connections that no statement leaves anything behind in.

    Args:
        url: Of the database; several servers may have it.
        size: How many connections, all open from the start.
        command_timeout_seconds: For a statement, for making a connection, and for waiting for one.
        name: The application's, as PostgreSQL shows it.
        tracer: Records its statements; None for nobody.
        first: A statement that each connection begins with, or what returns it.
        writes: Whether only a server will do that can be written to, out of those that `url` names;
            otherwise that is for `url` to say.
        statements_max: How many statements a connection keeps prepared.
        more_settings: The server's, by name, beside those that every pool has.

    Raises:
        DependencyUnavailableError: No connection could be made.
        PostgresError: The address lets nobody in.
    """

    async def begin(connection: Connection) -> None:
        if tracer:
            tracer.watch(connection)
        if first is not None:
            await connection.execute(first if isinstance(first, str) else first())

    async def keep(_connection: object) -> None:
        """Reset nothing on release: the only state is the merchant's id, and a RESET costs."""

    with opening():
        pool: Pool = await PatientPool(
            url,
            moves=writes and len(addresses_of(url)) > 1,
            wait_seconds_max=command_timeout_seconds,
            min_size=size,
            max_size=size,
            command_timeout=command_timeout_seconds,
            timeout=command_timeout_seconds,
            max_inactive_connection_lifetime=0,
            reset=keep,
            init=begin,
            target_session_attrs="read-write" if writes else None,
            statement_cache_size=statements_max,
            server_settings={
                **_server_settings(name, command_timeout_seconds),
                **(more_settings or {}),
            },
        )
        return pool


def _server_settings(name: str, statement_seconds_max: float) -> dict[str, str]:
    return {
        "application_name": name,
        "timezone": "UTC",
        # Whatever is set for the role: in a warning it says that a commit may be on no standby.
        "client_min_messages": "warning",
        # A statement that outlives its client's patience must not act later.
        "statement_timeout": str(int(statement_seconds_max * 1000)),
        # Nor must the locks outlive us, if our machine is gone without a word.
        "idle_in_transaction_session_timeout": f"{SILENT_SECONDS_MAX}s",
        "tcp_keepalives_idle": str(PROBE_AFTER_SECONDS),
        "tcp_keepalives_interval": str(PROBE_SECONDS),
        "tcp_keepalives_count": str(PROBES),
        "tcp_user_timeout": f"{SILENT_SECONDS_MAX}s",
        # Every statement is made for its indexes. A plan made while a table was empty must not stay
        # when it has grown.
        "enable_seqscan": "off",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
        "enable_material": "off",
        "jit": "off",
        "plan_cache_mode": "force_generic_plan",
    }
