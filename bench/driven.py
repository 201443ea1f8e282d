"""What a load tool saw."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field


class BrokenRunError(Exception):
    """A run whose figures mean nothing; one sentence says why."""


@dataclass(frozen=True, kw_only=True)
class Driven:
    """One load, or several at once.

    Attributes:
        rate: Calls per second.
        times: How many calls took how many µs.
        well: Calls by what they should have done, such as `CAPTURE`.
        failed: Calls that the tool knows to have failed.
        unfinished: Calls that may have been cut off: they may have had their effect.
        cpu_seconds: Of the tool itself.
    """

    rate: float
    times: Counter[int] = field(repr=False)
    well: Counter[str]
    failed: int = 0
    unfinished: int = 0
    cpu_seconds: float = 0.0

    @property
    def calls(self) -> int:
        """How many calls ended."""
        return self.times.total()

    def percentiles(self, *shares: float) -> list[float]:
        """Return the times in ms that so many calls in a hundred did not exceed."""
        found: list[float] = []
        seen, wanted = 0, sorted(shares)
        ranks = [max(1.0, share / 100 * self.calls) for share in wanted]
        for microseconds, count in sorted(self.times.items()):
            seen += count
            while len(found) < len(ranks) and seen >= ranks[len(found)]:
                found.append(microseconds / 1000)
        return found


def together(loads: Iterable[Driven]) -> Driven:
    """Return several loads that ran at once as one."""
    loads = list(loads)
    times: Counter[int] = Counter()
    well: Counter[str] = Counter()
    for load in loads:
        times.update(load.times)
        well.update(load.well)
    return Driven(
        rate=sum(load.rate for load in loads),
        times=times,
        well=well,
        failed=sum(load.failed for load in loads),
        unfinished=sum(load.unfinished for load in loads),
        cpu_seconds=sum(load.cpu_seconds for load in loads),
    )
