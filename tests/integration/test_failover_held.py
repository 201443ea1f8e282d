"""Connections that were held to a server which is the primary no more, and what tells of it."""

import asyncio
import os
import socket
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from pkg.errors import DependencyUnavailableError
from pkg.observe.health import Health
from pkg.observe.metrics import Metrics
from pkg.postgres.connection import SILENT_SECONDS_MAX, Connection
from pkg.postgres.health import database_checks
from pkg.postgres.migrate import AWAY, found
from pkg.postgres.servers import connect
from pkg.postgres.sql import Pool, Pools, translated
from tests.chaos.rig import IMPORTS, SECRETS
from tests.integration.test_failover import (
    HEALED_SECONDS_MAX,
    STATEMENT_SECONDS_MAX,
    WRITE,
    assert_away,
    pool_of,
    server_of,
    until_written,
    url_of,
)
from tests.silent import by_tcp, silent_server
from tests.standby import Pair
from tools.stack.database import external
from tools.stack.postgres import OWNER
from tools.stack.settings import REPOSITORY, load

MIGRATIONS = REPOSITORY / "services" / "acquirer" / "migrations"


async def test_a_primary_that_refuses_writes_is_left_for_another(pair: Pair) -> None:
    """Though it answers on the connections that are held, and says so at each write."""
    old, new = pair.primary, pair.standby
    async with await pool_of(url_of(old.folder, new.folder), size=2) as pool:
        await pool.execute(WRITE)
        async with pair.read_only():
            await pair.promote()
            async with asyncio.timeout(HEALED_SECONDS_MAX):
                await until_written(pool)
            assert await server_of(pool) == str(new.folder)
            pair.primary, pair.standby = old, new  # whose setting is to be taken back
    pair.primary, pair.standby = new, old
    await old.kill()


async def test_a_lone_server_that_refuses_writes_is_still_read(pair: Pair) -> None:
    """There is nothing better to be had, so its connections are kept."""
    async with await pool_of(url_of(pair.primary.folder)) as pool, pair.read_only():
        async with asyncio.timeout(HEALED_SECONDS_MAX):
            while await pool.fetchval("SHOW default_transaction_read_only") == "off":
                await asyncio.sleep(0.02)
        await assert_away(pool)
        assert await pool.fetchval("SELECT 1") == 1


async def test_one_silence_is_paid_for_once(pair: Pair) -> None:
    """When one connection got no answer, the idle ones to the same server are not tried in turn."""
    old, new = pair.primary, pair.standby
    async with await pool_of(url_of(old.folder, new.folder), size=6) as pool:
        old.freeze()
        await pair.promote()
        began = time.monotonic()
        await until_written(pool)
        assert time.monotonic() - began < 3 * STATEMENT_SECONDS_MAX
    await old.kill()


async def test_a_process_can_end_while_its_server_is_silent(pair: Pair) -> None:
    """Closing a pool asks the server to hang up, and does not wait for it for long."""
    try:
        async with asyncio.timeout(HEALED_SECONDS_MAX), await pool_of(url_of(pair.primary.folder)):
            pair.primary.freeze()
    finally:
        pair.primary.thaw()


async def test_who_is_away_counts_more_than_who_lets_nobody_in(pair: Pair, tmp_path: Path) -> None:
    """One may be half made: the primary is the other one, which may come back."""
    half_made, away = str(pair.primary.folder), str(tmp_path)
    url = f"postgresql://{OWNER}@/no_such_database?host={{}}"
    with pytest.raises(DependencyUnavailableError):
        await pool_of(url.format(f"{half_made},{away}"))
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await pool_of(url.format(half_made))


async def test_a_login_that_is_refused_later_is_no_bug_of_ours(pair: Pair) -> None:
    """While a server is made anew its logins may be missing: 503, until it is as it was."""
    primary = pair.primary
    await primary.ask("CREATE ROLE fading LOGIN IN ROLE payments")
    async with await pool_of(primary.url("fading", "payments")) as pool:
        await primary.ask("ALTER ROLE fading NOLOGIN")
        await primary.ask(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'fading'"
        )
        async with asyncio.timeout(HEALED_SECONDS_MAX):
            while pool.get_idle_size():
                await asyncio.sleep(0.02)
        await assert_away(pool)
    await primary.ask("DROP ROLE fading")


async def test_whoever_falls_silent_is_given_up(pair: Pair) -> None:
    """By us and by PostgreSQL, at work or idle: the system's own patience is two hours."""
    async with by_tcp(pair.primary.folder) as port:
        url = f"postgresql://{OWNER}@127.0.0.1:{port}/payments"
        connection = await connect(url, timeout=5, connection_class=Connection)
        wire = connection._transport.get_extra_info("socket")
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        idle, each, count = (
            wire.getsockopt(socket.IPPROTO_TCP, name)
            for name in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
        assert idle + each * count == SILENT_SECONDS_MAX
        busy = wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        assert busy == SILENT_SECONDS_MAX * 1000
        await connection.close()
    settings = "SELECT name FROM pg_settings WHERE name LIKE 'tcp%' AND source = 'client'"
    async with await pool_of(url_of(pair.primary.folder)) as pool:
        assert {row["name"] for row in await pool.fetch(settings)} == {
            "tcp_keepalives_count",
            "tcp_keepalives_idle",
            "tcp_keepalives_interval",
            "tcp_user_timeout",
        }


async def leave_open(pool: Pool) -> None:
    """Go on with a transaction that PostgreSQL had no patience for."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = '50ms'")
        gone = asyncio.Event()
        connection.add_termination_listener(lambda _: gone.set())
        async with asyncio.timeout(HEALED_SECONDS_MAX):
            await gone.wait()
        await connection.execute(WRITE)


async def test_a_transaction_that_nobody_goes_on_with_holds_no_lock(pair: Pair) -> None:
    """PostgreSQL ends it; whoever comes back to it hears that the database was away."""
    async with await pool_of(url_of(pair.primary.folder)) as pool:
        idle = await pool.fetchval("SHOW idle_in_transaction_session_timeout")
        assert idle == f"{SILENT_SECONDS_MAX}s"
        with pytest.raises(DependencyUnavailableError), translated():
            await leave_open(pool)
        await pool.execute(WRITE)


async def told(url: str, *, writes: bool = True) -> dict[str, object]:
    """Return what `/health` says on a pool that was opened while all was well."""
    pools = Pools(Metrics())
    health = Health(database_checks(pools, "pool", url), Metrics(), answer_seconds_max=0.5)
    async with await pool_of(url, writes=writes) as pool:
        pools.add("pool", pool)
        await health.run_once()
        return health.told()


async def test_health_tells_which_server_is_away(pair: Pair, tmp_path: Path) -> None:
    """By its place in the address, and nothing else of it; one alone is the database."""
    well, standby = pair.primary.folder, pair.standby.folder
    async with silent_server() as silent:
        assert await told(url_of(silent, tmp_path, standby, well)) == {
            "status": "DEGRADED",
            "dependencies": {
                "database": "UP",
                "database_1": "DOWN",
                "database_2": "DOWN",
                "database_3": "UP",
                "database_4": "UP",
            },
        }
    assert await told(url_of(well)) == {"status": "SERVING", "dependencies": {"database": "UP"}}


async def test_health_tells_that_there_is_no_primary(pair: Pair) -> None:
    """The servers answer, and the database is down: nobody may be written to."""
    url = url_of(pair.standby.folder, pair.primary.folder)
    pools = Pools(Metrics())
    health = Health(database_checks(pools, "pool", url), Metrics())
    async with await pool_of(url) as pool:
        pools.add("pool", pool)
        async with pair.read_only():
            await pool.expire_connections()
            await health.run_once()
    states = {"database": "DOWN", "database_1": "UP", "database_2": "UP"}
    assert health.told() == {"status": "NOT_SERVING", "dependencies": states}


async def test_a_process_says_that_there_is_no_primary(pair: Pair) -> None:
    """And ends, for whoever supervises it to try again."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.events", "serve"),
        env={
            **IMPORTS,
            **SECRETS,
            "DATABASE_URL": pair.standby.url("paygate_webhooks", "payments"),
            "PAYGATE_WEBHOOK_KEY": "c3" * 32,
        },
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert (process.returncode, said) == (1, b"No server of the database can be written to.\n")


async def test_migrations_find_the_primary(pair: Pair, tmp_path: Path) -> None:
    """Behind one that is silent, one that is away, and a standby; as the images do it."""
    name = "to_be_migrated"
    await pair.primary.ask(f"CREATE DATABASE {name} OWNER acquirer")
    async with silent_server() as silent:
        folders = (silent, tmp_path, pair.standby.folder, pair.primary.folder)
        hosts = ",".join(map(str, folders))
        file = tmp_path / "address"
        file.write_text(f"postgresql://acquirer@/{name}?host={hosts}&target_session_attrs=primary")
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "DATABASE_URL_FILE": str(file),
            "DBMATE_MIGRATIONS_DIR": str(MIGRATIONS),
            "DBMATE_NO_DUMP_SCHEMA": "true",
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pkg.postgres.migrate"),
            env=environment | IMPORTS,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    async with await pool_of(pair.primary.url(OWNER, name)) as pool:
        count = await pool.fetchval("SELECT count(*) FROM schema_migrations")
    assert count == len(list(MIGRATIONS.glob("*.sql")))


async def test_make_run_finds_the_primary(pair: Pair, tmp_path: Path) -> None:
    """With a database of one's own, of which it makes the bank's schema."""
    name = "of_ones_own"
    await pair.primary.ask(f"CREATE DATABASE {name}")
    async with silent_server() as silent:
        hosts = ",".join(map(str, (silent, pair.standby.folder, pair.primary.folder)))
        url = f"postgresql://{OWNER}@/{name}?host={hosts}"
        settings = load({"DATABASE_URL": url, "PAYGATE_DATA_DIR": str(tmp_path)})
        databases = await external(settings)
        async with await pool_of(databases.acquirer) as pool:
            assert await pool.fetchval("SELECT current_schema()") == "acquirer"


async def test_migrations_do_not_wait_for_a_primary_for_ever(pair: Pair, tmp_path: Path) -> None:
    """They fail, and nothing was done; where there is no choice nobody is asked."""
    url = url_of(pair.standby.folder, tmp_path)
    with pytest.raises(AWAY):
        await found(url, seconds_max=0.1)
    assert await found(f"postgresql://a@/b?host={tmp_path}") == (
        f"postgresql://a@/b?socket={str(tmp_path).replace('/', '%2F')}"
    )
