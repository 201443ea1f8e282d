"""What is done to the machines, how long it may keep writes away, and when it is over."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tests.ha import cluster, network
from tests.ha.machine import SERVING
from tests.ha.rig import Rig

PROCESS_SECONDS_MAX, MACHINE_SECONDS_MAX = 5.0, 25.0
# Each part that another can stand in for, killed once.
PARTS = (
    "etcd",
    "nats",
    "patroni",
    "envoy",
    "payments",
    "acquirer",
    "sweep",
    "events",
    "relay",
    "admin",
)


@dataclass(frozen=True)
class Fault:
    """One fault, which has been done.

    Attributes:
        victim: What it was done to.
        gap_seconds_max: How long no write may be acknowledged.
        over: Returns once something has taken the victim's place.
        heal: Undoes what does not undo itself.
    """

    victim: str
    gap_seconds_max: float
    over: Callable[[], Awaitable[object]]
    heal: Callable[[], None] = lambda: None


Act = Callable[[Rig, str], Fault]


def kill_leader(rig: Rig, leader: str) -> Fault:
    """End the PostgreSQL that leads with -9."""
    os.kill(rig.machines[leader].postmaster(), signal.SIGKILL)
    return Fault(leader, PROCESS_SECONDS_MAX, partial(cluster.leader, besides=leader))


def cut_leader(_rig: Rig, leader: str) -> Fault:
    """Cut off the machine that leads, with all that runs on it."""
    network.cut(leader)
    over = partial(cluster.leader, besides=leader)
    return Fault(leader, MACHINE_SECONDS_MAX, over, partial(network.heal, leader))


def kill_standby(rig: Rig, leader: str) -> Fault:
    """End a PostgreSQL that follows."""
    victim = next(name for name in rig.machines if name != leader)
    old = rig.machines[victim].postmaster()
    os.kill(old, signal.SIGKILL)

    async def over() -> None:
        while _postmaster(rig, victim) in {None, old}:
            await asyncio.sleep(0.1)

    return Fault(victim, PROCESS_SECONDS_MAX, over)


def cut_standby(_rig: Rig, leader: str) -> Fault:
    """Cut off a machine that serves and does not lead."""
    victim = next(name for name in SERVING if name != leader)
    network.cut(victim)

    async def over() -> None:
        await asyncio.sleep(PROCESS_SECONDS_MAX)  # nothing takes its place: the others go on

    return Fault(victim, PROCESS_SECONDS_MAX, over, partial(network.heal, victim))


def kill_part(part: str, rig: Rig, leader: str) -> Fault:
    """End a process, on the machine that leads if it runs there."""
    victim = f"{part}@{leader}"
    if rig.pid(victim) is None:
        victim = f"{part}@{SERVING[0]}"
    old = rig.kill(victim)

    async def over() -> None:
        while rig.pid(victim) in {None, old}:
            await asyncio.sleep(0.1)

    return Fault(victim.partition("@")[2], PROCESS_SECONDS_MAX, over)


def _postmaster(rig: Rig, name: str) -> int | None:
    try:
        return rig.machines[name].postmaster()
    except (OSError, ValueError):
        return None


@dataclass(frozen=True)
class Plan:
    """How often each is done.

    Attributes:
        kills: Of the PostgreSQL that leads.
        cuts: Of the machine that leads.
        others: Whether every other part is killed too.
    """

    kills: int
    cuts: int
    others: bool

    def acts(self) -> Iterator[tuple[str, Act]]:
        """Return each act with its name, cuts among kills."""
        for number in range(max(self.kills, self.cuts)):
            if number < self.kills:
                yield "leader's PostgreSQL killed", kill_leader
            if number < self.cuts:
                yield "leader's machine cut off", cut_leader
        if self.others:
            yield "standby's PostgreSQL killed", kill_standby
            yield "standby's machine cut off", cut_standby
            for part in PARTS:
                yield f"{part} killed", partial(kill_part, part)


WHOLE = Plan(kills=20, cuts=10, others=True)
SHORT = Plan(kills=1, cuts=1, others=False)
