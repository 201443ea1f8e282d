"""Of several servers paygate takes the one that can be written to, whatever the others do."""

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from pkg.errors import DependencyUnavailableError
from pkg.postgres.connection import Connection
from pkg.postgres.servers import connect
from pkg.postgres.sql import Pool, open_pool, translated
from pkg.process.production_database import Database, reasons_of
from tests.standby import Pair, Server
from tools.stack.postgres import OWNER

STATEMENT_SECONDS_MAX = 1.0
HEALED_SECONDS_MAX = 30.0
WRITE = "INSERT INTO sandbox_clock (ahead) VALUES ('0') ON CONFLICT DO NOTHING"


async def pool_of(url: str, *, size: int = 1, writes: bool = True) -> Pool:
    """Open a pool as the services do."""
    return await open_pool(
        url, size=size, command_timeout_seconds=STATEMENT_SECONDS_MAX, name="test", writes=writes
    )


def url_of(*folders: Path) -> str:
    """Return the address of the servers whose sockets are in these folders."""
    hosts = ",".join(map(str, folders))
    return f"postgresql://{OWNER}@/payments?host={hosts}"


async def server_of(pool: Pool) -> str:
    """Return the folder of the server's socket."""
    folder: str = await pool.fetchval("SHOW unix_socket_directories")
    return folder


async def until_written(pool: Pool) -> None:
    """Wait until a write goes well; until then the database is away, and nothing else is said."""
    async with asyncio.timeout(HEALED_SECONDS_MAX):
        while True:
            try:
                with translated():
                    await pool.execute(WRITE)
            except DependencyUnavailableError:
                await asyncio.sleep(0.05)
            else:
                return


async def assert_away(pool: Pool) -> None:
    """The database counts as away."""
    with pytest.raises(DependencyUnavailableError), translated():
        await pool.execute(WRITE)


async def test_a_standby_is_not_written_to(pair: Pair) -> None:
    """Wherever it stands in the list; alone it counts as away. Who only reads may say so."""
    primary, standby = pair.primary.folder, pair.standby.folder
    for url in (url_of(primary, standby), url_of(standby, primary)):
        async with await pool_of(url, size=2) as pool:
            assert await server_of(pool) == str(primary)
    with pytest.raises(DependencyUnavailableError):
        await pool_of(url_of(standby))
    async with await pool_of(url_of(standby), writes=False) as pool:
        assert await server_of(pool) == str(standby)


async def test_production_asks_the_server_that_is_written_to(pair: Pair) -> None:
    """Not the standby beside it, which may be set otherwise. Who only reads may be asked there."""
    standby = Database(url=url_of(pair.standby.folder), role=None)
    with pytest.raises(DependencyUnavailableError):
        await reasons_of(standby, timeout_seconds=STATEMENT_SECONDS_MAX)
    for database in (
        replace(standby, writes=False),
        replace(standby, url=url_of(pair.standby.folder, pair.primary.folder)),
    ):
        assert await reasons_of(database, timeout_seconds=STATEMENT_SECONDS_MAX)


async def test_a_silent_server_holds_up_nobody(pair: Pair, tmp_path: Path) -> None:
    """One that takes connections and never answers, first in the list: the other is connected."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / ".s.PGSQL.5432"))
        silent.listen()
        async with await pool_of(url_of(tmp_path, pair.primary.folder), size=2) as pool:
            await pool.execute(WRITE)


async def test_who_takes_a_silent_ones_place_is_found_while_it_is_silent(
    pair: Pair, tmp_path: Path
) -> None:
    """Nobody waits first until the silent one has used up the time for it."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / ".s.PGSQL.5432"))
        silent.listen()
        await pair.primary.kill()
        url = url_of(tmp_path, pair.primary.folder, pair.standby.folder)
        connecting = asyncio.create_task(
            connect(url, timeout=2 * HEALED_SECONDS_MAX, connection_class=Connection)
        )
        taken, _ = await asyncio.to_thread(silent.accept)  # by then all of them are asked
        with taken:
            await pair.promote()
            async with asyncio.timeout(HEALED_SECONDS_MAX):
                connection = await connecting
        await connection.close()


async def test_a_frozen_primary_is_left_for_the_one_that_took_its_place(pair: Pair) -> None:
    """And nobody comes back to it when it goes on, and still takes itself for the primary."""
    old, new = pair.primary, pair.standby
    async with await pool_of(url_of(old.folder, new.folder)) as pool:
        await pool.execute(WRITE)
        old.freeze()
        await pair.promote()
        await until_written(pool)
        assert await server_of(pool) == str(new.folder)
    old.thaw()
    for _ in range(5):
        async with await pool_of(url_of(old.folder, new.folder)) as pool:
            assert await server_of(pool) == str(new.folder)
    with pytest.raises(DependencyUnavailableError):
        await pool_of(url_of(old.folder))
    await old.kill()


async def test_a_demoted_primary_is_away_until_it_is_the_primary_again(pair: Pair) -> None:
    """A server that comes back as a standby takes no writes; that is no bug of ours."""
    server: Server = pair.primary
    async with await pool_of(url_of(server.folder)) as pool:
        await pool.execute(WRITE)
        await server.kill()
        await assert_away(pool)
        await server.start(standby_of=pair.standby)
        await assert_away(pool)
        await server.kill()
        (server.data / "standby.signal").unlink()
        await server.start()
        await until_written(pool)


async def test_a_server_that_is_made_read_only_is_away(pair: Pair) -> None:
    """Connections stay, and go on afterwards."""
    async with await pool_of(url_of(pair.primary.folder)) as pool:
        await pool.execute(WRITE)
        async with pair.read_only(), asyncio.timeout(HEALED_SECONDS_MAX):
            while await pool.fetchval("SHOW default_transaction_read_only") == "off":
                await asyncio.sleep(0.02)
            await assert_away(pool)
        await until_written(pool)
