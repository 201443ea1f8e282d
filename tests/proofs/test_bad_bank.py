"""A bank that loses, repeats and delays, and goes away: each operation has one end, in time."""

import asyncio
import itertools
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from tests.chaos.rig import Rig
from tests.chaos.test_storm import Client, acknowledged, assert_kept
from tests.proofs import record, scale
from tests.proofs.skew import OF_A_RIG

pytestmark = [pytest.mark.chaos, scale.LONG]

OPERATIONS = scale.whole("PAYGATE_PROOF_OPERATIONS", full=50_000, short=200)
CLIENTS = 32  # as many as leave the machine room: nobody is to wait for anything but the bank
# The contract: in doubt for no longer while the bank is up, and after it has come back.
DOUBT_SECONDS_MAX, HEALED_SECONDS_MAX = 5.0, 60.0
UP_SECONDS, AWAY_SECONDS = (25.0, 10.0) if scale.IS_FULL else (3.0, 3.0)
FINAL_SECONDS_MAX = 150.0
POLL_SECONDS = 0.05
# What was asked for just before the bank went is found out to be in doubt while it is away.
NOTICED_SECONDS = 4.0


@dataclass
class Outages:
    """When the bank was away, by the monotonic clock."""

    times: list[tuple[float, float]] = field(default_factory=list)

    def within(self, began: float, ended: float) -> float | None:
        """Return when the last outage ended that touched a time; None if none did."""
        ends = [end for start, end in self.times if began < end and ended > start - NOTICED_SECONDS]
        return max(ends, default=None)


class Patient(Client):
    """A client that asks again soon, so that it knows for how long it was in doubt."""

    final_seconds_max = FINAL_SECONDS_MAX

    def pauses(self) -> Iterator[float]:
        """Yield the same short wait, without end."""
        return itertools.repeat(POLL_SECONDS)


async def bad_days(rig: Rig, clients: list[Patient], outages: Outages) -> None:
    """Let the bank be bad, and be away now and then: hanging, or dead."""
    began, dice = time.monotonic(), random.Random(3)
    while not outages.times or (acknowledged(clients) < OPERATIONS and not scale.is_over(began)):
        await asyncio.sleep(UP_SECONDS)
        start, hangs = time.monotonic(), dice.random() < 0.5
        assert rig.bank.running
        if hangs:
            rig.bank.running.send_signal(signal.SIGSTOP)
            await asyncio.sleep(AWAY_SECONDS)
            rig.bank.running.send_signal(signal.SIGCONT)
        else:
            await rig.bank.kill()
            await asyncio.sleep(AWAY_SECONDS)
            await rig.bank.start()
        outages.times.append((start, time.monotonic()))
    await asyncio.sleep(UP_SECONDS)


async def test_each_operation_ends_once_and_in_time(
    payments_database_url: str, acquirer_database_url: str
) -> None:
    """However bad the bank's day is, both books agree, and nobody is in doubt for long."""
    began, outages = datetime.now(UTC), Outages()
    rig = Rig(payments_database_url, acquirer_database_url, ahead_seconds=OF_A_RIG)
    rig.bank.module = ("tests.proofs.bad_bank",)
    rig.environment["PAYGATE_HASTY_LEASE_SECONDS"] = "8"  # which it is
    async with rig:
        channels = rig.channels
        clients = [
            Patient(channels[seed % len(channels)], rig.api_key, seed=seed)
            for seed in range(CLIENTS)
        ]
        days = asyncio.create_task(bad_days(rig, clients, outages))
        await asyncio.gather(*(client.run(days) for client in clients))
        await days
        await rig.settled()
        doubts = [doubt for client in clients for doubt in client.doubts]
        up = [end - start for start, end in doubts if outages.within(start, end) is None]
        healed = [
            end - back for start, end in doubts if (back := outages.within(start, end)) is not None
        ]
        with record.outcome("bank", began) as figures:
            told = sum((client.told for client in clients), Counter[str]())
            figures |= {"operations": acknowledged(clients), "answers": told}
            figures |= {"outages": len(outages.times), "in_doubt": len(doubts)}
            figures |= {"in_doubt_bank_up": len(up), "in_doubt_around_outages": len(healed)}
            figures["longest_doubt_seconds"] = round(max(up, default=0), 2)
            figures["longest_after_healing_seconds"] = round(max(healed, default=0), 2)
            await assert_kept(rig.books, clients)
            await rig.assert_books_agree()
            assert up, "nobody was ever in doubt"
            assert max(up) <= DOUBT_SECONDS_MAX, sorted(up)[-5:]
            assert max(healed, default=0) <= HEALED_SECONDS_MAX, sorted(healed)[-5:]
