"""The embedded PostgreSQL: its folder, its start, its databases.

The wheel's own Python API is not used: as root it adds a user to the system and opens every folder
above the data to everybody.
"""

import asyncio
import contextlib
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import asyncpg

from pkg.process.called import RESET
from tools.stack import folder, installation, sockets, users
from tools.stack.errors import StackError
from tools.stack.probe import POLL_SECONDS
from tools.stack.program import Program, User, run_to_end
from tools.stack.settings import Settings

OWNER = "postgres"
# After a crash it first reads what it had written, which is more than a start.
RECOVERY_SECONDS_MAX = 600.0
# Each owns the database of its name and can't enter the other's.
ROLES = ("payments", "acquirer")
# Parts of the gateway, each with what it needs of the database `payments` and no more.
PARTS = (
    *("paygate_gateway", "paygate_vault", "paygate_reader", "paygate_sandbox", "paygate_admin"),
    *("paygate_events", "paygate_webhooks"),
)
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "log_line_prefix": "%m [%p] %u@%d ",
}
# A worker opens 12: 4 to load, 1 to write, 4 to look, 2 for cards, 1 for the sandbox. The bank,
# sweep, events, relay and admin open 25 together. The rest is for people.
CONNECTIONS_PER_WORKER, CONNECTIONS_BESIDES = 12, 60


# As root: the services come as another user, who may be any role but those that own the databases.
ADMITTED = """\
# Written by `make run`.
local all postgres,payments peer map=root
local all all trust
"""
IDENTITIES = """\
# Written by `make run`.
root root postgres
root root payments
"""


class Embedded:
    """The PostgreSQL of one data folder.

    Raises:
        StackError: The folder can't hold it, or holds something else.
    """

    def __init__(self, settings: Settings) -> None:
        self.data = settings.data_dir / "postgres"
        self._settings = settings
        self._users = users.choose(settings.data_dir)
        self._user = self._users.database
        self._bin = installation.programs(settings.data_dir, self._user)
        # After leftovers.end nothing of ours runs: an old pid in there can only be another's.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self._sockets = self._make_sockets()

    def url(self, role: str, database: str) -> str:
        """Return the address in the form that asyncpg takes."""
        return f"postgresql://{role}@/{database}?host={quote(str(self._sockets))}"

    async def initialise(self) -> None:
        """Make the database folder, unless there is a complete one."""
        if self.data.exists():
            self._check_version()
        else:
            await self._make()
        users.give(self.data, self._user)  # which older versions gave to somebody else

    def admit_services(self) -> None:
        """As root, let the services' user in, but not as those whom root alone may be."""
        if self._user:
            for name, text in (("pg_hba.conf", ADMITTED), ("pg_ident.conf", IDENTITIES)):
                folder.write(self.data / name, text)
                users.give(self.data / name, self._user)

    async def _make(self) -> None:
        unfinished = self.data.with_name("postgres.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        if self._user:
            maker = installation.maker(self._user)
            folder.make(unfinished, User(uid=0, gid=maker.gid), mode=0o770)
        else:
            maker = None
            folder.make(unfinished)
        made = unfinished / "data"
        options = (
            *("--username", OWNER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"),
            *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions"),
        )
        initdb = self._program("initdb", ("-D", str(made), *options))
        await run_to_end(replace(initdb, user=maker))
        users.give(made, self._user)
        made.rename(self.data)
        unfinished.rmdir()

    def program(self) -> Program:
        """Return the server, listening on a socket that only we can reach."""
        connections = CONNECTIONS_BESIDES + CONNECTIONS_PER_WORKER * self._settings.workers
        options = {
            **OPTIONS,
            "max_connections": str(max(100, connections)),
            "unix_socket_directories": str(self._sockets),
            **({"unix_socket_permissions": "0770"} if self._user else {}),
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return self._program("postgres", ("-D", str(self.data), *flags))

    async def make_databases(self) -> None:
        """Make the roles and their databases, where missing."""
        connection = await asyncpg.connect(self.url(OWNER, "postgres"))
        try:
            roles = await connection.fetchval("SELECT array_agg(rolname::text) FROM pg_roles")
            databases = await connection.fetchval(
                "SELECT array_agg(datname::text) FROM pg_database"
            )
            for role in {*ROLES, *PARTS}.difference(roles):
                await connection.execute(f"CREATE ROLE {role} LOGIN")
            for role in ROLES:
                if role not in databases:
                    await connection.execute(f"CREATE DATABASE {role} OWNER {role}")
                await connection.execute(f"REVOKE CONNECT ON DATABASE {role} FROM PUBLIC")
            parts = ", ".join(PARTS)
            await connection.execute(f"GRANT CONNECT ON DATABASE payments TO {parts}")
        finally:
            await connection.close()

    def _make_sockets(self) -> Path:
        """Make the folder of the sockets: as root, for the services too, by their group."""
        path = self._settings.run / "sockets"
        if self._user is None or self._users.services is None:
            return sockets.make(path, None)
        owner = User(uid=self._user.uid, gid=self._users.services.gid)
        return sockets.make(path, owner, mode=0o2710)

    def _program(self, name: str, arguments: tuple[str, ...]) -> Program:
        return Program(
            name=name,
            command=(str(self._bin / name), *arguments),
            log=self._settings.logs / "postgres.log",
            directory=Path("/"),  # it must be able to enter it
            environment={"PATH": os.defpath, "LC_ALL": "C"},
            ready=self._answers,
            ready_seconds_max=RECOVERY_SECONDS_MAX,
            stop_signal=signal.SIGINT,  # do not wait for clients
            quit_signal=signal.SIGQUIT,  # with its backends, which SIGKILL would leave
            death_signal=signal.SIGINT,
            stop_seconds_max=30.0,
            user=self._user,
        )

    async def _answers(self) -> None:
        while True:
            with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError):
                connection = await asyncpg.connect(self.url(OWNER, "postgres"), timeout=1.0)
                await connection.close()
                return
            await asyncio.sleep(POLL_SECONDS)

    def _check_version(self) -> None:
        version = self.data / "PG_VERSION"
        major = installation.version().split(".")[0]
        there = version.read_text().strip() if version.is_file() else "none"
        if there != major:
            raise StackError(
                f"The data folder {self.data} is not one of PostgreSQL {major} (found: {there});"
                f" `{RESET}` empties it, or choose another folder with PAYGATE_DATA_DIR."
            )

    def remove_sockets(self) -> None:
        """Remove the folder of the sockets, which may be outside the data folder."""
        sockets.remove(self._settings.run / "sockets")
