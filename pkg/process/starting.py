"""How a role of a service begins: its settings, production's demands, and why it cannot."""

import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import uvloop
from pydantic import Field

from pkg.errors import DependencyUnavailableError, MisconfiguredError
from pkg.grpc.server import Ending
from pkg.postgres.servers import NoPrimaryError
from pkg.process import production
from pkg.process.mode import Mode
from pkg.process.observed import ObservedSettings
from pkg.process.production import Posture
from pkg.process.settings import load_or_explain
from pkg.process.timing import CLOSING, Relation


class RoleSettings(ObservedSettings):
    """Settings of a process that production looks at before it starts."""

    mode: Mode = Mode.SANDBOX

    drain_seconds: float = Field(default=8.0, gt=0)
    # How long whoever runs the process waits between SIGTERM and SIGKILL.
    termination_grace_seconds: float = Field(default=15.0, gt=0)

    @property
    def ending(self) -> Ending:
        """How a server ends: all calls have, and what is open is closed, before it is killed."""
        end = self.termination_grace_seconds - CLOSING.seconds
        return Ending(drain_seconds=self.drain_seconds, end_seconds=end)

    def posture(self, role: str) -> Posture:
        """Return what production looks at before a process in this role starts."""
        raise NotImplementedError

    def relations(self, role: str) -> Sequence[Relation]:
        """Return how the times of a process in this role relate."""
        raise NotImplementedError


def refused(settings: RoleSettings, role: str) -> int:
    """Return the exit code of a role that does not start like this, having said why; or 0."""
    broken = [relation for relation in settings.relations(role) if not relation.holds]
    for relation in broken:
        sys.stderr.write(f"{relation}\n")
    if broken:
        return 2
    if settings.mode is not Mode.PRODUCTION:
        return 0
    return production.exit_code(settings.posture(role), sys.stderr.write)


R = TypeVar("R", bound=RoleSettings)


def run(kind: type[R], name: str, role: Callable[[R], Coroutine[Any, Any, None]]) -> int:
    """Run a role to its end and return the exit code.

    2 is for what somebody has to change, 1 for something that is away just now; why is said in a
    line each, without any value.
    """
    settings = load_or_explain(kind, sys.stderr.write)
    if settings is None:
        return 2
    code = refused(settings, name)
    if code:
        return code
    try:
        uvloop.run(role(settings))
    except MisconfiguredError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    except DependencyUnavailableError as problem:
        # Only at the start does this get here. Whoever supervises the process tries again.
        if isinstance(problem.__cause__, NoPrimaryError):
            sys.stderr.write("No server of the database can be written to.\n")
        else:
            sys.stderr.write("The database does not answer.\n")
        return 1
    return 0
