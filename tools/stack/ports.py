"""Ports on the loopback interface, held so that no other user of this machine gets between.

A program that dies gives its port back, and whoever listens there before it is started again gets
what was meant for it. So the supervisor binds each port as well and listens on none: as long as it
does, the kernel lets only sockets of the same user that ask for SO_REUSEPORT join it.
"""

import errno
import random
import socket
import time

from pkg.process.called import RUN
from tools.stack.errors import StackError
from tools.stack.settings import HOST

# Below the range from which systems give ports to clients: a client's connection can't take a
# worker's port while that worker is being started again.
LOWEST, HIGHEST = 15_000, 32_000
TAKEN_SECONDS_MAX = 1.0


def hold_free(count: int) -> list[socket.socket]:
    """Choose ports that nobody has now, and hold them.

    Raises:
        StackError: There are not so many.
    """
    held: list[socket.socket] = []
    for port in random.SystemRandom().sample(range(LOWEST, HIGHEST), k=min(2_000, count * 50)):
        if len(held) == count:
            return held
        found = bound(port)
        if isinstance(found, socket.socket):
            held.append(found)
    raise StackError(f"No free ports between {LOWEST} and {HIGHEST} on {HOST}.")


def free(count: int) -> list[int]:
    """Choose ports that nobody has now, and that anybody may take."""
    chosen = []
    for one in hold_free(count):
        chosen.append(one.getsockname()[1])
        one.close()
    return chosen


def hold(port: int, host: str) -> socket.socket:
    """Hold the gateway's own port, at the address where it is served.

    Waits a moment: the Envoy of a run that was killed just now may still be going.

    Raises:
        StackError: It can't be had.
    """
    deadline = time.monotonic() + TAKEN_SECONDS_MAX
    while not isinstance(found := bound(port, host), socket.socket):
        if found.errno != errno.EADDRINUSE:
            raise StackError(f"Port {port} can't be used: {found.strerror}.")
        if time.monotonic() > deadline:
            raise StackError(
                f"Port {port} is taken by another program: stop it,"
                f" or choose another port, for example PAYGATE_PORT={later(port)} {RUN}."
            )
        time.sleep(0.05)
    return found


def bound(port: int, host: str = HOST) -> socket.socket | OSError:
    """Return a socket that holds the port, or why there is none."""
    holder = socket.socket()
    # As the servers do: connections of an earlier run that linger do not count.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        holder.bind((host, port))
    except OSError as error:
        holder.close()
        return error
    # Only now: at first nobody may be there, not even another run of the same user.
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return holder


def later(port: int) -> int:
    """Return a port after this one that is free."""
    for next_one in range(port + 1, min(port + 100, 65_536)):
        found = bound(next_one)
        if isinstance(found, socket.socket):
            found.close()
            return next_one
    return 18_080
