"""Histories of a real gateway: there is an order of steps that explains all that clients saw.

And of what is put into them on purpose, the same search finds nearly everything.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from tests.chaos.rig import Rig
from tests.proofs import record, scale
from tests.proofs.histories.faults import FAULTS, History
from tests.proofs.histories.recording import Recorder
from tests.proofs.histories.search import is_linear
from tests.proofs.histories.spec import LOOK, Call, Seen
from tests.proofs.scale import whole
from tests.proofs.skew import OF_A_RIG

pytestmark = pytest.mark.chaos

HISTORIES = whole("PAYGATE_PROOF_HISTORIES", full=10_000, short=80)
AT_ONCE = 12
KILL_EVERY_SECONDS = 5.0
CAUGHT_MIN = 0.99


@asynccontextmanager
async def killed_now_and_then(rig: Rig) -> AsyncIterator[Counter[str]]:
    """Meanwhile, kill workers, the sweep and the bank, each now and then."""
    dice, killed = random.Random(5), Counter[str]()
    victims = {"worker": rig.workers[0], "other worker": rig.workers[1]}
    victims |= {"sweep": rig.sweep, "bank": rig.bank}

    async def kill() -> None:
        while True:
            await asyncio.sleep(dice.uniform(0.5, 1.5) * KILL_EVERY_SECONDS)
            name = dice.choice(list(victims))
            await victims[name].kill()
            await victims[name].start()
            killed[name] += 1

    task = asyncio.create_task(kill())
    try:
        yield killed
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        for victim in victims.values():
            await victim.revive()


async def recorded(rig: Rig) -> list[list[Call]]:
    """Record as many histories as there are to be, some at once."""
    began = time.monotonic()
    turns, histories = asyncio.Semaphore(AT_ONCE), list[list[Call]]()

    async def one(seed: int) -> None:
        async with turns:
            if scale.is_over(began):
                return
            histories.append(await Recorder(rig, random.Random(seed)).history())

    await asyncio.gather(*(one(seed) for seed in range(HISTORIES)))
    return histories


def caught(histories: Sequence[History]) -> dict[str, tuple[int, int]]:
    """Put each fault into each history that has a place for it; return how many were, and found."""
    dice, found = random.Random(1), dict[str, tuple[int, int]]()
    for fault in FAULTS:
        faulty = [one for one in (fault(dice, calls) for calls in histories) if one is not None]
        found[fault.__name__] = (len(faulty), sum(not is_linear(one) for one in faulty))
    return found


async def test_every_history_has_a_linear_order(
    payments_database_url: str, acquirer_database_url: str
) -> None:
    """Clients of one payment, workers that are killed, clocks that differ: one order explains it.

    A fault that is put into such a history is found.
    """
    began = datetime.now(UTC)
    urls = (payments_database_url, acquirer_database_url)
    async with Rig(*urls, ahead_seconds=OF_A_RIG) as rig:
        async with killed_now_and_then(rig) as killed:
            histories = await recorded(rig)
        await rig.settled()
        await rig.assert_books_agree()
    with record.outcome("histories", began) as figures:
        figures |= {"histories": len(histories), "calls": sum(map(len, histories))}
        figures["outcomes"] = Counter(call.outcome for calls in histories for call in calls)
        figures["killed"] = sum(killed.values())
        odd = [calls for calls in histories if not is_linear(calls)]
        faults = caught(histories)
        seeded, found = (sum(column) for column in zip(*faults.values(), strict=True))
        figures |= {"without_order": len(odd), "faults": faults}
        figures |= {"faults_seeded": seeded, "faults_found": found}
        assert not odd, odd[0]
        assert found >= CAUGHT_MIN * seeded, faults
        assert all(count for count, _ in faults.values()), faults


def test_the_search_knows_what_can_be() -> None:
    """Two captures at once are explained in one order only; a look may be on either side."""
    first = Call("CAPTURE", 60, False, "SUCCEEDED", 0, 3, 3, 3, Seen("CAPTURED", 100, 0, 0, 100))
    partly = Seen("PARTIALLY_CAPTURED", 40, 0, 0, 40)
    second = Call("CAPTURE", 40, False, "SUCCEEDED", 0, 3, 3, 2, partly)
    look = Call(LOOK, 0, False, LOOK, 1, 2, 2, 0, Seen("AUTHORIZED", 0, 0, 0, 0))
    assert is_linear([first, second, look])
    assert not is_linear([first, second, Call(LOOK, 0, False, LOOK, 4, 5, 5, 0, look.seen)])
