"""Ports on the loopback interface."""

import errno
import random
import socket
import time

from tools.stack.errors import StackError
from tools.stack.settings import HOST

# Below the range from which systems give ports to clients: a client's connection can't take a
# worker's port while that worker is being started again.
LOWEST, HIGHEST = 15_000, 32_000
TAKEN_SECONDS_MAX = 1.0


def free(count: int) -> list[int]:
    """Choose ports that nobody listens on now."""
    candidates = random.SystemRandom().sample(range(LOWEST, HIGHEST), k=min(2_000, count * 50))
    found = [port for port in candidates if _refusal(port) is None][:count]
    if len(found) < count:
        raise StackError(f"No free ports between {LOWEST} and {HIGHEST} on {HOST}.")
    return found


def claim(port: int) -> None:
    """Check that the gateway's own port can be listened on.

    Waits a moment: the Envoy of a run that was killed just now may still be going.

    Raises:
        StackError: It can't.
    """
    deadline = time.monotonic() + TAKEN_SECONDS_MAX
    while (refusal := _refusal(port)) is not None:
        if refusal.errno != errno.EADDRINUSE:
            raise StackError(f"Port {port} can't be used: {refusal.strerror}.")
        if time.monotonic() > deadline:
            raise StackError(
                f"Port {port} is taken by another program: stop it,"
                f" or choose another port, for example PAYGATE_PORT={_next(port)} make run."
            )
        time.sleep(0.05)


def _refusal(port: int) -> OSError | None:
    with socket.socket() as probe:
        # As the servers do: connections of an earlier run that linger do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as error:
            return error
    return None


def _next(port: int) -> int:
    later = (port + step for step in range(1, 100) if port + step <= 65535)
    return next((candidate for candidate in later if _refusal(candidate) is None), 18080)
