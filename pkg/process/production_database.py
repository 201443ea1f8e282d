"""What production asks a server of PostgreSQL: what it forgets, and what a login may do there."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from pkg.postgres.connection import Connection
from pkg.postgres.servers import connect
from pkg.postgres.sql import Row, opening, statements

_SQL = statements(Path(__file__).parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """A database that a process works on.

    Attributes:
        url: Its address, with the login.
        role: What the login has to be, or to be a member of; None for one that owns its tables.
        writes: Whether only a server will do that can be written to, out of those that `url` names;
            otherwise that is for `url` to say. As the pools have it.
    """

    url: str = field(repr=False)
    role: str | None
    writes: bool = True


async def reasons_of(database: Database, *, timeout_seconds: float) -> list[str]:
    """Return what speaks against working there with this login; nothing names the login.

    Raises:
        DependencyUnavailableError: The server does not answer.
    """
    try:
        with opening():
            connection = await connect(
                database.url,
                timeout=timeout_seconds,
                command_timeout=timeout_seconds,
                connection_class=Connection,
                target_session_attrs="read-write" if database.writes else None,
            )
            try:
                off = await connection.fetch(_SQL["durability"], timeout=timeout_seconds)
                (login,) = await connection.fetch(
                    _SQL["login"], database.role or "", timeout=timeout_seconds
                )
            finally:
                connection.terminate()
    except (asyncpg.PostgresError, ValueError):
        return ["the database lets nobody in with this address"]
    return [
        *(f"{row['name']} is {row['setting']} there: a crash could lose payments" for row in off),
        *_of_login(login, database.role),
    ]


def _of_login(login: Row, role: str | None) -> Iterator[str]:
    if login["is_superuser"]:
        yield "its login is a superuser, whom no wall in the database stops"
        return
    if login["powers"]:
        yield f"its login may do what no part of the gateway needs: {', '.join(login['powers'])}"
    if login["other_roles"]:
        yield f"its login is a member of {', '.join(login['other_roles'])}, which is not its part"
    if role and login["owns_tables"]:
        yield "its login owns tables there, and row security does not stop an owner"
    if role and not login["has_role"]:
        yield f"its login is not {role}, and no member of it"
    if login["without_row_security"]:
        yield f"row security is off there for {', '.join(login['without_row_security'])}"
