"""Spreads tables over the nodes of a cluster, after they were brought up to date."""

from pathlib import Path

from pkg.postgres.connection import Connection
from pkg.postgres.servers import connect

# Beside the migrations. What it says is done once, however often it is run.
DISTRIBUTE = Path("citus", "distribute.sql")


async def distribute(url: str, migrations: Path, *, connect_seconds_max: float = 10.0) -> None:
    """Do what is not done yet.

    Args:
        url: Of the coordinator, as the owner of the tables.
        migrations: The folder of the migrations that were applied.
        connect_seconds_max: How long it may take to connect. Nobody knows how long the rest takes.

    Raises:
        Exception: What the driver says.
    """
    connection = await connect(url, timeout=connect_seconds_max, connection_class=Connection)
    try:
        await connection.execute((migrations / DISTRIBUTE).read_text("utf-8"))
    finally:
        await connection.close()
