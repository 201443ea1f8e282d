"""Whom programs run as when root starts the stack: three users of their own, and never root.

They have no names and no entry in /etc/passwd: nothing is added to the system, and since nobody
else is given these numbers, nobody else can reach what is theirs.
"""

import os
import pwd
import subprocess
import sys
import zlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tools.stack.errors import StackError
from tools.stack.program import User

# Which systemd's "Users, Groups, UIDs and GIDs on systemd systems" leaves to nobody.
LOWEST, HIGHEST = 60_578, 61_183


@dataclass(frozen=True, kw_only=True)
class Users:
    """Whom each part runs as; None for whoever started the stack, who is not root.

    Attributes:
        database: PostgreSQL.
        services: Every process of ours.
        edge: Envoy.
    """

    database: User | None = None
    services: User | None = None
    edge: User | None = None


def choose(data_dir: Path) -> Users:
    """Return the users of the stack of a data folder, the same each time.

    Raises:
        StackError: As root, on a system where that can't be done.
    """
    if os.geteuid() != 0:
        return Users()
    if sys.platform != "linux":
        raise StackError("On this system it can't run as root: run it as a normal user.")
    numbers = range(LOWEST, HIGHEST)
    start = zlib.crc32(os.fsencode(data_dir)) % len(numbers)
    free = (number for number in (*numbers[start:], *numbers[:start]) if _is_nobodys(number))
    database, services, edge = (User(uid=number, gid=number) for number in islice(free, 3))
    return Users(database=database, services=services, edge=edge)


def may(user: User, what: str, path: Path) -> bool:
    """Ask the kernel whether a user may `-r`ead, `-w`rite, or e`-x`ecute or enter a path."""
    asked = subprocess.run(
        ["/usr/bin/env", "test", what, str(path)],
        check=False,
        cwd="/",
        user=user.uid,
        group=user.gid,
        extra_groups=[],
    )
    return asked.returncode == 0


def give(path: Path, user: User | None) -> None:
    """Make a file, or a folder and all that is in it, a user's; None leaves it as it is."""
    if user is None:
        return
    for one in (path, *path.rglob("*")):
        there = one.lstat()
        if (there.st_uid, there.st_gid) != (user.uid, user.gid):
            os.chown(one, user.uid, user.gid, follow_symlinks=False)


def _is_nobodys(number: int) -> bool:
    try:
        pwd.getpwuid(number)
    except KeyError:
        return True
    return False
