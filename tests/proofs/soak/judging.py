"""What is right in a soak: what grows is found, whatever else was going on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

PARTS_OF_A_RUN = 6  # the first is compared with the last
GROWTH_MAX = 0.05
COUNT_SLACK = 2  # descriptors or threads: a connection that is there now and then
ROWS_SLACK = 100
TABLE_BYTES_SLACK = 256 << 10
# What nobody removes while the merchant is there: as many rows as the merchant has made.
KEPT = frozenset(
    {
        *("payments.payments", "payments.actions", "payments.removed_cards"),
        *("acquirer.authorizations", "acquirer.operations"),
    }
)


@dataclass(frozen=True)
class Trend:
    """How something went on.

    Attributes:
        first: The median of the first sixth, after the warm-up.
        last: Of the last sixth.
        ok: Whether it may be so.
    """

    what: str
    first: float
    last: float
    ok: bool

    @property
    def growth(self) -> float:
        """By how much of itself it grew."""
        return self.last / self.first - 1 if self.first else 0.0


def trend(what: str, values: Sequence[float], *, slack: float) -> Trend:
    """Compare the ends of a series."""
    size = max(1, len(values) // PARTS_OF_A_RUN)
    first, last = median(values[:size]), median(values[-size:])
    return Trend(what, first, last, last <= first * (1 + GROWTH_MAX) + slack)


def parts(samples: Iterable[Mapping[str, Any]], *, warm_seconds: float) -> list[Trend]:
    """Judge memory, descriptors and threads of each part."""
    warm = [sample for sample in samples if sample["seconds"] >= warm_seconds]
    found = []
    for name in sorted(set(warm[0]) & set(warm[-1]) - {"seconds"}):
        for what, slack in (
            ("memory", 0),
            ("descriptors", COUNT_SLACK),
            ("threads", COUNT_SLACK),
        ):
            values = [sample[name][what] for sample in warm if name in sample]
            found.append(trend(f"{name} {what}", values, slack=slack))
    return found


def tables(samples: Iterable[Mapping[str, Any]], *, warm_seconds: float) -> list[Trend]:
    """Judge rows and bytes of each table that is not kept."""
    warm = [sample for sample in samples if sample["seconds"] >= warm_seconds]
    found = []
    for name in sorted(set(warm[-1] if warm else ()) - {"seconds"} - KEPT):
        for what, slack in (("rows", ROWS_SLACK), ("bytes", TABLE_BYTES_SLACK)):
            values = [sample[name][what] for sample in warm if name in sample]
            found.append(trend(f"{name} {what}", values, slack=slack))
    return found


def restarted(pids: Mapping[str, set[int]]) -> list[str]:
    """Return what did not live through it in one piece."""
    return sorted(name for name, seen in pids.items() if len(seen) > 1)
