"""Hosts whose clocks differ: a process of the gateway with a clock of its own.

`python -m tests.proofs.skew +2 services.payments serve` runs a service two seconds ahead: whatever
its own code takes for the time is shifted, in each module. gRPC's deadlines are not, which a host's
kernel counts by one clock; and neither are timers.
"""

import os
import runpy
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType, SimpleNamespace

SECONDS = 2
# The hosts: two workers that differ most, and beside each of them who takes over what it left.
AHEAD_SECONDS: Mapping[str, int] = {
    "payments-1": SECONDS,
    "payments-2": -SECONDS,
    "sweep": -SECONDS,
    "relay": SECONDS,
    "events": -SECONDS,
    "acquirer": SECONDS,
    "admin": SECONDS,
}
# The same of a rig: its workers, the sweep, the bank.
OF_A_RIG = (SECONDS, -SECONDS, -SECONDS, SECONDS)
_OURS = ("services.", "pkg.")
_COMPARES_WITH_GRPC = "pkg.grpc.servers.call"  # both sides of it are of one host


class _Shifted(type):
    """What is a datetime is one of these, too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


class Clock:
    """A clock beside the machine's.

    Args:
        seconds: How far it is ahead; negative if it is behind.
    """

    def __init__(self, seconds: int) -> None:
        self._ahead = timedelta(seconds=seconds)
        ahead = self._ahead

        class Datetime(datetime, metaclass=_Shifted):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
                return datetime.now(tz) + ahead

        self._datetime = Datetime
        words = {name: getattr(time, name) for name in dir(time)}
        self._time = SimpleNamespace(**{**words, "time": self.time, "time_ns": self.time_ns})

    def time(self) -> float:
        """Return the seconds since 1970."""
        return time.time() + self._ahead.total_seconds()

    def time_ns(self) -> int:
        """Return the nanoseconds since 1970."""
        return time.time_ns() + int(self._ahead.total_seconds()) * 10**9

    def put_into(self, module: ModuleType) -> None:
        """Let a module go by this clock."""
        shifted = {
            datetime: self._datetime,
            time: self._time,
            time.time: self.time,
            time.time_ns: self.time_ns,
        }
        for name, value in list(vars(module).items()):
            if name in {"datetime", "time", "time_ns"} and value in shifted:
                setattr(module, name, shifted[value])


class Finder:
    """Finds modules as ever, and puts the clock into ours."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module."""
        if not name.startswith(_OURS) or name == _COMPARES_WITH_GRPC:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        loader, execute = spec.loader, spec.loader.exec_module

        def executed(module: ModuleType) -> None:
            execute(module)
            self._clock.put_into(module)

        loader.exec_module = executed  # type: ignore[method-assign]
        return spec


def is_wanted() -> bool:
    """Say whether clocks are to differ."""
    return os.environ.get("PAYGATE_SKEW") != "none"


def module_of(name: str, module: Sequence[str]) -> tuple[str, ...]:
    """Return how a process is started that is to have its own clock.

    Args:
        name: As `make run` calls it.
        module: With its arguments.
    """
    ahead = AHEAD_SECONDS.get(name, 0) if is_wanted() else 0
    return ("tests.proofs.skew", f"{ahead:+d}", *module) if ahead else (*module,)


if __name__ == "__main__":
    _, seconds, *sys.argv = sys.argv
    if any(name.startswith(_OURS) for name in sys.modules):
        sys.exit("Something of ours is imported already: it would go by the machine's clock.")
    sys.meta_path.insert(0, Finder(Clock(int(seconds))))
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
