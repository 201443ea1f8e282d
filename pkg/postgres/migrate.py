"""Brings tables up to date: `python -m pkg.postgres.migrate`, with the settings of dbmate.

dbmate wants the address of one server. This finds the primary among those that an address names,
and becomes dbmate. The address is in `DATABASE_URL`, or in the file that `DATABASE_URL_FILE` names.
With `PAYGATE_SHARDS=citus` it is a cluster's coordinator, and the tables are spread over its nodes
afterwards; `DBMATE_MIGRATIONS_DIR` has the statements for that.
"""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from pkg.postgres.servers import addresses_of, primary_of
from pkg.postgres.shards import Shards
from pkg.postgres.shards.distribute import distribute

PRIMARY_SECONDS_MAX = 60.0
ATTEMPT_SECONDS_MAX = 5.0
PAUSE_SECONDS = 0.5
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InternalClientError)


def dbmate_url(url: str) -> str:
    """Return the address of one server in the form that dbmate takes: `socket` for a folder."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    query.pop("target_session_attrs", None)  # of what to choose from
    if query.get("host", "").startswith("/"):
        query["socket"] = query.pop("host")
    return urlunsplit(parts._replace(query=urlencode(query)))


async def found(url: str, *, seconds_max: float = PRIMARY_SECONDS_MAX) -> str:
    """Return the primary's address, for dbmate, as soon as there is one.

    Where there is no choice nobody is asked: dbmate waits by itself.

    Raises:
        Exception: What the driver says of the last attempt, when `seconds_max` are over.
    """
    if len(addresses_of(url)) == 1:
        return dbmate_url(url)
    ends = time.monotonic() + seconds_max
    while True:
        try:
            return dbmate_url(await primary_of(url, timeout=ATTEMPT_SECONDS_MAX))
        except AWAY:
            if time.monotonic() > ends:
                raise
            await asyncio.sleep(PAUSE_SECONDS)


def main() -> NoReturn:
    """Become dbmate, or say why not."""
    file = os.environ.get("DATABASE_URL_FILE")
    url = Path(file).read_text("utf-8").strip() if file else os.environ["DATABASE_URL"]
    try:
        address = asyncio.run(found(url))
    except AWAY as problem:
        sys.exit(f"no server of the database can be written to: {type(problem).__name__}")
    arguments = sys.argv[1:] or ["migrate"]
    # Not as an argument: the address may hold a password, and arguments are public.
    environment = {**os.environ, "DATABASE_URL": address}
    if os.environ.get("PAYGATE_SHARDS") == Shards.CITUS:
        done = subprocess.run(["dbmate", *arguments], env=environment, check=False)  # noqa: S603, S607
        if done.returncode == 0:
            asyncio.run(distribute(url, Path(os.environ["DBMATE_MIGRATIONS_DIR"])))
        sys.exit(done.returncode)
    os.execvpe("dbmate", ["dbmate", *arguments], environment)  # noqa: S606, S607


if __name__ == "__main__":
    main()
