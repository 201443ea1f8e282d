"""The database's walls: production looks at what its login is there, and could become."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from pkg.process.production import Posture, database_reasons
from pkg.process.production_database import Database
from tests.database import as_part, as_superuser
from tools.stack.postgres import OWNER

GATEWAY = "paygate_gateway"


@pytest.fixture
async def owner(payments_database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Whoever runs the server."""
    connection = await asyncpg.connect(as_superuser(payments_database_url))
    yield connection
    await connection.close()


async def said(url: str, role: str | None = GATEWAY) -> list[str]:
    """Return what is said of a login, without the setting; tests' server may forget."""
    posture = Posture(
        refused=(),
        keys={},
        databases={"DATABASE_URL": Database(url=url, role=role)},
        database_timeout_seconds=5.0,
    )
    lines = [line.removeprefix("DATABASE_URL: ") for line in await database_reasons(posture)]
    return [line for line in lines if not line.startswith("fsync is off")]


async def test_a_part_with_its_role_is_sound(payments_database_url: str) -> None:
    """Each part, by the role that is made for it."""
    for part in ("gateway", "reader", "vault", "admin", "webhooks", "events"):
        role = f"paygate_{part}"
        assert await said(as_part(payments_database_url, role), role) == []


@pytest.mark.parametrize(
    ("change", "undo", "line"),
    [
        (
            "ALTER ROLE paygate_gateway SUPERUSER",
            "ALTER ROLE paygate_gateway NOSUPERUSER",
            "its login is a superuser, whom no wall in the database stops",
        ),
        (
            "ALTER ROLE paygate_gateway BYPASSRLS REPLICATION",
            "ALTER ROLE paygate_gateway NOBYPASSRLS NOREPLICATION",
            "its login may do what no part of the gateway needs: BYPASSRLS, REPLICATION",
        ),
        (
            "ALTER ROLE paygate_gateway CREATEROLE CREATEDB",
            "ALTER ROLE paygate_gateway NOCREATEROLE NOCREATEDB",
            "its login may do what no part of the gateway needs: CREATEDB, CREATEROLE",
        ),
        (
            "CREATE ROLE mighty BYPASSRLS; GRANT mighty TO paygate_gateway WITH INHERIT FALSE",
            "DROP ROLE mighty",
            "its login may do what no part of the gateway needs: BYPASSRLS",
        ),
        (
            "GRANT paygate_vault, pg_read_all_data TO paygate_gateway",
            "REVOKE paygate_vault, pg_read_all_data FROM paygate_gateway",
            "its login is a member of paygate_vault, pg_read_all_data, which is not its part",
        ),
        (
            "ALTER TABLE sandbox_clock OWNER TO paygate_gateway",
            "ALTER TABLE sandbox_clock OWNER TO payments",
            "its login owns tables there, and row security does not stop an owner",
        ),
        (
            "GRANT payments TO paygate_gateway",
            "REVOKE payments FROM paygate_gateway",
            "its login owns tables there, and row security does not stop an owner",
        ),
        (
            "ALTER TABLE payments DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE payments ENABLE ROW LEVEL SECURITY",
            "row security is off there for payments",
        ),
    ],
)
async def test_each_missing_wall_is_said_alone(
    payments_database_url: str,
    owner: "asyncpg.Connection[asyncpg.Record]",
    change: str,
    undo: str,
    line: str,
) -> None:
    """Whatever the login is, or could become by SET ROLE."""
    await owner.execute(change)
    try:
        assert await said(as_part(payments_database_url, GATEWAY)) == [line]
    finally:
        await owner.execute(undo)


async def test_the_wrong_login(payments_database_url: str) -> None:
    """Another part's, the owner of the tables, and whoever runs the server."""
    (line,) = await said(as_part(payments_database_url, "paygate_events"))
    assert line == "its login is not paygate_gateway, and no member of it"
    owns, other = await said(payments_database_url)
    assert owns.startswith("its login owns tables there")
    assert other.startswith("its login is not paygate_gateway")
    (line,) = await said(as_superuser(payments_database_url))
    assert line.startswith("its login is a superuser")


async def test_a_superuser_in_disguise(
    payments_database_url: str, owner: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Who only begins as a part can go back to what it is."""
    await owner.execute(f"ALTER ROLE {OWNER} SET role = paygate_gateway")
    try:
        (line,) = await said(as_superuser(payments_database_url))
    finally:
        await owner.execute(f"ALTER ROLE {OWNER} RESET role")
    assert line.startswith("its login is a superuser")


async def test_a_login_may_be_a_member(
    payments_database_url: str, owner: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Whether it becomes its part by itself or not; and of a cloud's group as well."""
    await owner.execute("CREATE ROLE cloud_logins; CREATE ROLE worker LOGIN")
    await owner.execute("GRANT paygate_gateway, cloud_logins TO worker")
    try:
        url = payments_database_url.replace("//payments@", "//worker@")
        assert await said(url) == []
        await owner.execute("ALTER ROLE worker SET role = paygate_gateway")
        assert await said(url) == []
        # A member that has none of the part's rights could do nothing.
        await owner.execute("ALTER ROLE worker RESET role")
        await owner.execute("GRANT paygate_gateway TO worker WITH INHERIT FALSE")
        assert await said(url) == ["its login is not paygate_gateway, and no member of it"]
    finally:
        await owner.execute("DROP OWNED BY worker; DROP ROLE worker, cloud_logins")


async def test_the_bank_owns_its_tables(acquirer_database_url: str) -> None:
    """It has one login for all, which still is no superuser."""
    assert await said(acquirer_database_url, None) == []
    superuser = acquirer_database_url.replace("//acquirer@", f"//{OWNER}@")
    (line,) = await said(superuser, None)
    assert line.startswith("its login is a superuser")
