"""One case: a load on a system, what it cost, and the proof that every call had its effect."""

import asyncio
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from bench.driven import BrokenRunError, Driven
from bench.loads import Drive
from bench.systems import now

SETTLE_SECONDS_MAX = 10.0
SETTLE_PAUSE_SECONDS = 0.2
# Leave no actions behind.
SILENT = ("READ", "REPLAY")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """The figures of one run: calls per second, times in ms, CPU in µs per call by process."""

    rate: float
    p50: float
    p99: float
    p999: float
    cpu: dict[str, float]


class Case(Protocol):
    """Something that is measured again and again."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    async def run(self, seconds: float) -> Sample:
        """Measure once."""


@dataclass(frozen=True, kw_only=True)
class LoadCase:
    """A load on a system, or a share of the most that it takes."""

    drive: Drive
    share: float = 0.0

    @property
    def name(self) -> str:
        """What the report calls it."""
        drive = self.drive
        door = {"grpc": "gRPC", "edge": "gRPC by Envoy", "rest": "REST"}[drive.door]
        part = f" at {self.share:.0%} of that" if self.share else ""
        return f"{drive.system.name}: {drive.workload.name}, {door}, c={drive.connections}{part}"

    async def run(self, seconds: float) -> Sample:
        """Drive, and check that what was counted was done.

        Raises:
            BrokenRunError: Calls failed, or did not have their effect.
        """
        rate = 0.0
        if self.share:
            rate = self.share * (await replace(self, share=0.0).run(seconds)).rate
        meter = self.drive.system.meter
        since, before = now(), meter.read()
        driven = await self.drive.run(seconds, rate=rate)
        after = meter.read()
        await self._check(driven, since)
        return sample(driven, {name: after[name] - before[name] for name in after})

    async def _check(self, driven: Driven, since: datetime) -> None:
        wanted = Counter({name: n for name, n in driven.well.items() if name not in SILENT})
        if driven.failed or not driven.calls:
            raise BrokenRunError(f"{self.name}: {driven.failed} of {driven.calls} calls failed")
        done = await self._settled(since, at_least=wanted.total())
        # The first call of a replay is the only one that does anything.
        allowed = 1 if "REPLAY" in driven.well else driven.unfinished
        spare = sum((Counter(done) - wanted).values())
        missing = sum((wanted - Counter(done)).values())
        if missing or spare > allowed:
            raise BrokenRunError(f"{self.name}: {dict(wanted)} calls, but {done} were done")

    async def _settled(self, since: datetime, *, at_least: int) -> dict[str, int]:
        """Count until nothing is added any more: a tool may cut calls off that still go on."""
        done, before = await self.drive.system.count(since), None
        async with asyncio.timeout(SETTLE_SECONDS_MAX):
            while done != before or sum(done.values()) < at_least:
                await asyncio.sleep(SETTLE_PAUSE_SECONDS)
                done, before = await self.drive.system.count(since), done
                if done == before and sum(done.values()) < at_least:
                    break
        return done


def sample(driven: Driven, cpu_seconds: dict[str, float]) -> Sample:
    """Return the figures of a run."""
    p50, p99, p999 = driven.percentiles(50, 99, 99.9)
    used = {**cpu_seconds, "driver": driven.cpu_seconds}
    return Sample(
        rate=driven.rate,
        p50=p50,
        p99=p99,
        p999=p999,
        cpu={name: seconds / driven.calls * 1e6 for name, seconds in used.items()},
    )


def summary(samples: Sequence[Sample]) -> dict[str, Any]:
    """Return medians, and the lowest and highest rate."""
    middle = {
        name: statistics.median(getattr(one, name) for one in samples)
        for name in ("rate", "p50", "p99", "p999")
    }
    processes = samples[0].cpu
    cpu = {name: statistics.median(one.cpu[name] for one in samples) for name in processes}
    rates = [one.rate for one in samples]
    runs = [asdict(one) for one in samples]
    return {**middle, "low": min(rates), "high": max(rates), "cpu": cpu, "runs": runs}
