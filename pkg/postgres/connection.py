"""A connection that believes no commit that PostgreSQL's standbys may not have."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import structlog

if TYPE_CHECKING:

    class _Connection(asyncpg.Connection[asyncpg.Record]):
        """With what the driver's class has and does not declare."""

        _loop: asyncio.AbstractEventLoop
        _cancellations: set[asyncio.Task[Any] | None]
        _transport: asyncio.Transport

        def _cancel_current_command(
            self, waiter: asyncio.Future[None], cancel_waiter: asyncio.Future[None] | None = None
        ) -> None: ...

        def _process_log_message(self, fields: dict[str, Any], last_query: object) -> None: ...

else:
    _Connection = asyncpg.Connection

logger = structlog.get_logger()

KEPT = Path(__file__).with_name("kept.sql").read_text("utf-8")
# In which a statement that nobody waits for may still end: it is short, or the server ends it just
# then. Otherwise the connection is dropped.
END_SECONDS_MAX = 0.1
# Whoever falls silent, as a machine does that is switched off, is given up after this long, at work
# or idle: so many probes, after a silence. PostgreSQL is told the same of us.
SILENT_SECONDS_MAX = 10
PROBE_AFTER_SECONDS, PROBE_SECONDS, PROBES = 4, 3, 2
# PostgreSQL's function that waits for standbys: its warnings may be in any language, its name not.
_WAITING = "SyncRepWaitForLSN"


class NotReplicatedError(Exception):
    """A commit is on this server alone, since its wait for the standbys was ended."""


class Connection(_Connection):
    """Never ends a wait for the standbys, and takes a commit whose wait somebody ended for lost.

    PostgreSQL shows a commit to others when its standbys have it, or when the wait for that was
    cancelled. So nobody cancels: what takes too long is left to itself, and the connection dropped.

    It also knows whose rows it was last set to work on; see `pkg.postgres.tenancy`.
    """

    when_dropped: Callable[[], None] | None = None  # called when it was, since nothing came back
    _merchant_id: str | None = None
    _may_cancel = False

    def notice_silence(self) -> None:
        """Have it end when the other side answers nothing any more, whoever waits for that."""
        socket_: socket.socket = self._transport.get_extra_info("socket")
        if socket_.family == socket.AF_UNIX:
            return
        socket_.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", PROBE_AFTER_SECONDS),
            ("TCP_KEEPALIVE", PROBE_AFTER_SECONDS),  # its name on macOS
            ("TCP_KEEPINTVL", PROBE_SECONDS),
            ("TCP_KEEPCNT", PROBES),
            ("TCP_USER_TIMEOUT", SILENT_SECONDS_MAX * 1000),
        ):
            if hasattr(socket, name):
                socket_.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    @property
    def refuses_writes(self) -> bool:
        """Whether its server has said that it can't be written to, now or any more."""
        settings = self.get_settings()
        names = ("in_hot_standby", "default_transaction_read_only")
        return any(getattr(settings, name, "off") == "on" for name in names)

    async def set_merchant(self, merchant_id: str) -> None:
        """Work on this merchant's rows from here on: a round trip, but only when that is new.

        Not to another's inside a transaction, which would take the setting back when it fails.
        """
        if self._merchant_id == merchant_id:
            return
        assert not self.is_in_transaction()
        self._merchant_id = None  # nobody knows, if this is cut off half way
        await self.execute("SELECT set_config('paygate.merchant_id', $1, false)", merchant_id)
        self._merchant_id = merchant_id

    async def ensure_kept(self) -> None:
        """Return when all that anybody has been shown by now is kept, as the server was told to.

        This wait may be cancelled: there is nothing to be shown.
        """
        self._may_cancel = True
        try:
            await self.execute(KEPT)
        finally:
            self._may_cancel = False

    def _cancel_current_command(
        self, waiter: "asyncio.Future[None]", cancel_waiter: "asyncio.Future[None] | None" = None
    ) -> None:
        """Take the place of the driver's, which asks the server to cancel a statement."""
        if self._may_cancel or cancel_waiter is None:
            super()._cancel_current_command(waiter, cancel_waiter)
            return
        waiter.set_result(None)
        self._cancellations.add(self._loop.create_task(self._leave(cancel_waiter)))

    async def _leave(self, ended: "asyncio.Future[None]") -> None:
        """Drop the connection, unless its statement ends soon."""
        try:
            async with asyncio.timeout(END_SECONDS_MAX):
                await asyncio.shield(ended)
        except TimeoutError:
            self.terminate()
            if self.when_dropped:
                self.when_dropped()
        finally:
            self._cancellations.discard(asyncio.current_task())

    def _process_log_message(self, fields: dict[str, Any], last_query: object) -> None:
        """Take the place of the driver's; what is raised here becomes the statement's result."""
        if fields.get("R") == _WAITING:
            if last_query != KEPT:  # whose wait we cancel ourselves
                logger.error("a commit may be on no standby: its wait was ended on the server")
            raise NotReplicatedError
        super()._process_log_message(fields, last_query)
