"""Sandboxes: merchants for one test each, with a clock, a key and an end of their own."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from pkg.values import value

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection

# Of one merchant: of those that have not ended, and with those that are still being removed.
ALIVE_MAX, THERE_MAX = 500, 5_000


@value(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What is told of a sandbox; its id is a merchant's. Times are real ones."""

    id: str
    name: str
    create_time: datetime
    expire_time: datetime


@value(frozen=True, slots=True, kw_only=True)
class NewSandbox:
    """A sandbox that is asked for. `ahead`: how far its clock begins before the real time."""

    id: str
    name: str
    time_to_live: timedelta
    ahead: timedelta


@value(frozen=True, slots=True, kw_only=True)
class NewKey:
    """What is stored of a key that was just made."""

    id: str
    digest: bytes
    scopes: frozenset[str]


class Sandboxes(Protocol):
    """Where sandboxes are kept. Every method may raise DependencyUnavailableError."""

    def on(self, connection: "PooledConnection") -> "Sandboxes":
        """Return the same inside a transaction that somebody else has begun."""

    async def create(self, owner_id: str, new: NewSandbox, key: NewKey) -> Sandbox:
        """Make a sandbox, inside a transaction.

        Raises:
            SandboxLimitError: The owner has as many as it can have, or is a sandbox.
        """

    async def list(self, owner_id: str, *, before_id: str | None, limit: int) -> Sequence[Sandbox]:
        """Return the owner's sandboxes that have not ended, the newest first."""

    async def end(self, owner_id: str, sandbox_id: str) -> None:
        """End a sandbox and its keys; what it has is removed later.

        Raises:
            SandboxNotFoundError: The owner has no such sandbox, or it has ended.
            SandboxBusyError: An action in it is PENDING.
        """
