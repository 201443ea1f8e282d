"""What came of it: a table for people, JSON for programs, and which goals were missed."""

import json
import time
from dataclasses import asdict, dataclass, field

SETTLED_SECONDS_MAX = 15.0


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        fault: What was done.
        machine: To which machine.
        gap_seconds: The longest time in which no write was acknowledged.
        gap_seconds_max: The goal.
        settled_seconds: After how long, from the end of the gap, nothing of before was PENDING.
    """

    fault: str
    machine: str
    gap_seconds: float
    gap_seconds_max: float
    settled_seconds: float

    @property
    def is_met(self) -> bool:
        """Whether both goals are."""
        in_time = self.gap_seconds <= self.gap_seconds_max
        return in_time and self.settled_seconds <= SETTLED_SECONDS_MAX

    def text(self) -> str:
        """Return a line of the table."""
        return (
            f"{self.fault:30}{self.machine:9}{self.gap_seconds:7.2f} s"
            f"{self.settled_seconds:9.2f} s   {'' if self.is_met else 'MISSED'}"
        )


@dataclass
class Report:
    """All of it; faults are printed as they are added."""

    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    acknowledged: int = 0
    lost: int = 0
    double: int = 0
    ends: dict[str, int] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)
    start_seconds: float = 0.0
    seconds: float = 0.0

    def started(self) -> None:
        """Note that everything serves."""
        self.start_seconds = time.monotonic() - self.begun
        print(f"{'fault':30}{'machine':9}{'gap':>9}{'settled':>11}", flush=True)

    def add(self, row: Row) -> None:
        """Add a fault."""
        self.rows.append(row)
        print(row.text(), flush=True)

    def ended(self) -> None:
        """Note that it is over."""
        self.seconds = time.monotonic() - self.begun

    @property
    def missed(self) -> list[str]:
        """Every goal that was missed, in words."""
        late = [f"{row.fault} on {row.machine}" for row in self.rows if not row.is_met]
        wrong = [
            *([f"{self.lost} acknowledged writes are lost"] if self.lost else []),
            *([f"{self.double} payments or actions are doubled"] if self.double else []),
            *([] if self.acknowledged else ["nothing was acknowledged"]),
        ]
        return [*late, *wrong, *self.problems]

    def text(self) -> str:
        """Return the summary."""
        ends = ", ".join(f"{count} {end.lower()}" for end, count in self.ends.items())
        said = [
            f"\n{self.acknowledged} writes acknowledged, {self.lost} lost, {self.double} double.",
            f"Orders: {ends}. {self.seconds:.0f} s, of which {self.start_seconds:.0f} s to start.",
        ]
        for fault in dict.fromkeys(row.fault for row in self.rows):
            gaps = sorted(row.gap_seconds for row in self.rows if row.fault == fault)
            middle = gaps[len(gaps) // 2]
            said.append(f"{fault:30}{len(gaps):3} x  gap {middle:.2f} s, {gaps[-1]:.2f} s at most")
        missed = [f"MISSED: {one}" for one in self.missed] or ["Every goal is met."]
        return "\n".join([*said, *missed])

    def json(self) -> str:
        """Return all of it."""
        told = {name: value for name, value in asdict(self).items() if name != "begun"}
        return json.dumps({**told, "missed": self.missed}, indent=2) + "\n"
