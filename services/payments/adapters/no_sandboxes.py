"""Sandboxes on a cluster, where there are none: one is a merchant, and its key, on every node."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.payments.adapters.postgres_sandboxes import PostgresSandboxes
from services.payments.domain.errors import SandboxLimitError, SandboxNotFoundError
from services.payments.removals import Ended
from services.payments.sandboxes import NewKey, NewSandbox, Sandbox

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection


class NoSandboxes(PostgresSandboxes):
    """Nobody may have any. What a reset leaves at the bank is removed all the same."""

    def on(self, connection: "PooledConnection") -> "NoSandboxes":  # noqa: ARG002  # there is nothing
        """Return this."""
        return self

    async def create(self, owner_id: str, new: NewSandbox, key: NewKey) -> Sandbox:  # noqa: ARG002
        """Refuse."""
        raise SandboxLimitError

    async def list(
        self,
        owner_id: str,  # noqa: ARG002
        *,
        before_id: str | None,  # noqa: ARG002
        limit: int,  # noqa: ARG002
    ) -> Sequence[Sandbox]:
        """Return none."""
        return []

    async def end(self, owner_id: str, sandbox_id: str) -> None:  # noqa: ARG002
        """Refuse."""
        raise SandboxNotFoundError

    async def take_ended(self) -> Ended | None:
        """Return None."""
        return None
