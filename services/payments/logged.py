"""The request log of the sandbox, to look at: see `pkg.grpc.logged` for how it is written."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from pkg.grpc.lists import ListPosition, Page


class LoggedRequest(NamedTuple):
    """A call of a merchant, as the log's statements return it.

    `began` and `microseconds` are when it began, since 1970, and how long it took. `request` and
    `reply` are serialised messages without what must not be shown; None if there was none, or if
    it was too large, of so many bytes.
    """

    id: str
    began: int
    service: str
    method: str
    code: str
    reason: str
    microseconds: int
    idempotency_key: str
    replayed: bool
    payment_id: str
    key_id: str
    rest: bool
    request: bytes | None
    request_bytes: int
    reply: bytes | None
    reply_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """Which calls are wanted: empty texts for any."""

    failed: bool = False
    payment_id: str = ""
    idempotency_key: str = ""
    method: str = ""

    @property
    def names(self) -> Sequence[str]:
        """Return it as a page token's scope names it."""
        return ("failed" if self.failed else "", self.payment_id, self.idempotency_key, self.method)


class RequestLog(Protocol):
    """One merchant's calls."""

    async def list(
        self, merchant_id: str, wanted: RequestFilter, *, place: ListPosition | None, size: int
    ) -> Page[LoggedRequest]:
        """Return calls that began before a place, the last ones first."""

    async def get(self, merchant_id: str, request_id: str) -> LoggedRequest | None:
        """Return the last call with a request id."""
