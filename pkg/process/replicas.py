"""How many replicas a service has: the addresses of its name, looked up again and again."""

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable

import structlog

logger = structlog.get_logger()

# As often as the edge asks, about; each look-up costs a thread and two small packets.
LOOK_SECONDS, ANSWER_SECONDS_MAX = 2.0, 5.0


async def addresses_of(name: str) -> int:
    """Return how many addresses a name has; one that has two kinds has a replica behind a pair.

    Raises:
        OSError: The name is not known, or nobody can say.
    """
    found = await asyncio.get_running_loop().getaddrinfo(name, None, type=socket.SOCK_STREAM)
    families = Counter(family for family, *_ in {(one[0], one[4][0]) for one in found})
    return max(families.values())


async def watch_replicas(
    name: str,
    told: Callable[[int], None],
    *,
    look_up: Callable[[str], Awaitable[int]] = addresses_of,
    seconds: float = LOOK_SECONDS,
) -> None:
    """Tell how many replicas there are, at first and whenever it changes, until cancelled.

    Nothing is told while the name can't be looked up: what was last known then goes on.
    """
    known = 0
    while True:
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                count = await look_up(name)
        except OSError as problem:  # a timeout is one
            logger.warning("replicas can't be counted", name=name, problem=type(problem).__name__)
        else:
            if count != known:
                logger.info("replicas counted", name=name, replicas=count)
                known = count
                told(count)
        await asyncio.sleep(seconds)
