"""A line to the bank that stays open, and is opened anew: after a loss, by its age, or if asked to.

What waits is written together in one message, without a timer, and answers come in any order. What
was never written waits for the next line. While there has been none for a while, the bank is known
to be away, and nothing is begun that would need it.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Self, assert_never

import grpc
import structlog
from grpc import aio

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from pkg.errors import DependencyUnavailableError
from pkg.observe.health import serves
from services.payments.adapters.bank_calls import Failure
from services.payments.adapters.bank_connection import ClosingError, Connection
from services.payments.adapters.bank_waiting import Answered, End, Late, Lost, NotSent, Waiting

logger = structlog.get_logger()

# For so long after a line was lost, or since the start, the bank is not called away: what comes
# waits for a line. Longer than it takes to reconnect (pause and opening), or to restart a bank.
GRACE_SECONDS = 2.0
# For so long a process that starts waits for its first line before it serves: the bank may be
# starting, too.
FIRST_SECONDS = 4.0
# Then another is opened, so that banks behind one address share the lines, and new certificates
# count. Each line's own age is up to a fifth more or less, so that not all go at once.
LINE_SECONDS = 60.0
# So often the bank is asked for a sign of life, which it has 1.5 s for; with so many in a row that
# did not come it is hung, and its line is given up. One that is busy may be late.
PING_SECONDS, SILENCES_MAX = 2.0, 3
# Between attempts; each pause is twice the one before.
PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.1, 0.5
# After so long a task that has not ended is told again to.
CANCEL_SECONDS = 0.1
# What breaks sooner brings nothing back: the time without a line goes on where it was.
STEADY_SECONDS = 1.0

_LATE = Failure(grpc.StatusCode.DEADLINE_EXCEEDED)
_LOST = Failure(grpc.StatusCode.UNAVAILABLE)
_NOT_SENT = Failure(grpc.StatusCode.UNAVAILABLE, is_sent=False)


class BankLine:
    """The way to the bank: an async context, in which the line is kept open.

    Args:
        connect: Returns a new connection to the bank.
        line_seconds: How old a line becomes.
        first_seconds: How long the first one is waited for when the context is entered.
    """

    def __init__(
        self,
        connect: Callable[[], aio.Channel],
        *,
        line_seconds: float = LINE_SECONDS,
        first_seconds: float = FIRST_SECONDS,
    ) -> None:
        self._connect = connect
        self._line_seconds = line_seconds
        self._first_seconds = first_seconds
        self._has_been_open = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._waiting = Waiting()
        self._current: Connection | None = None
        self._none_since = self._some_since = self._loop.time()
        self._number = 0
        self._noted = ""
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._timer: asyncio.Handle | None = None
        # When it ends. uvloop's own handle does not say so if that is at once.
        self._timer_time = 0.0
        self._keeping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Wait for the first line, but not for long: without it, what is asked of us is refused."""
        self._keeping = self._loop.create_task(self._keep_on())
        with suppress(TimeoutError):
            async with asyncio.timeout(self._first_seconds):
                await self._has_been_open.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._keeping is not None
        tasks: set[asyncio.Task[None]] = {self._keeping, *self._connections.values()}
        # More than once: a call of grpc.aio that fails just then says so, and is not cancelled.
        while tasks:
            for task in tasks:
                task.cancel()
            tasks = (await asyncio.wait(tasks, timeout=CANCEL_SECONDS))[1]
        self._waiting.close()
        if self._timer:
            self._timer.cancel()

    @property
    def channel(self) -> aio.Channel:
        """The connection that there is, for calls.

        Raises:
            DependencyUnavailableError: There is none.
        """
        if self._current is None:
            raise DependencyUnavailableError
        return self._current.channel

    async def serves(self) -> bool:
        """Tell whether the bank says of itself, on the connection that there is, that it serves."""
        return self._current is not None and await serves(self._current.channel)

    def ensure_reachable(self) -> None:
        """Return if an operation could be sent now, or soon.

        Raises:
            DependencyUnavailableError: The bank is known to be away.
        """
        if self._is_away():
            raise DependencyUnavailableError

    async def ask(self, operation: pb.Operation, *, timeout_seconds: float) -> pb.Outcome | Failure:
        """Return what the bank says of an operation, or why it says nothing in time."""
        if self._is_away():
            return _NOT_SENT
        ended: asyncio.Future[End] = self._loop.create_future()
        now = self._loop.time()
        until = self._waiting.add(
            operation, partial(_tell, ended), timeout=timeout_seconds, now=now
        )
        self._look_at(until)
        if self._current is not None:
            self._current.wake()
        return _told(await ended)

    def _is_away(self) -> bool:
        return self._current is None and self._loop.time() - self._none_since > GRACE_SECONDS

    def _look_at(self, until: float) -> None:
        """Have `expire` called then, or earlier: there is one timer for all operations."""
        if self._timer is not None:
            if self._timer_time <= until:
                return
            self._timer.cancel()
        self._timer, self._timer_time = self._loop.call_at(until, self._expire), until

    def _expire(self) -> None:
        self._timer = None
        soonest = self._waiting.expire(self._loop.time())
        if soonest is not None:
            self._look_at(soonest)
        for connection in self._connections:
            connection.wake()  # one that is retired may have nothing left to wait for

    async def _keep_on(self) -> None:
        """Keep a line whatever goes wrong: without one the bank would be away until a restart."""
        while True:
            try:
                await self._keep()
            except (Exception, asyncio.CancelledError):
                if self._keeping is None or self._keeping.cancelling():
                    raise  # the process ends
                logger.exception("the line to the bank is dialled again")
            await asyncio.sleep(PAUSE_SECONDS_MAX)

    async def _keep(self) -> None:
        """Have a line open, and another when it is old, lost, or about to be."""
        pause = PAUSE_SECONDS_MIN
        while True:
            fresh, opened = await self._opened(), self._loop.time()
            if fresh is not None:
                self._use(fresh)
                await self._watch(fresh)
                if self._current is fresh or self._loop.time() - opened >= STEADY_SECONDS:
                    pause = PAUSE_SECONDS_MIN
                    continue
            elif (current := self._current) is not None and await current.is_of_no_use():
                self._give_up(current)  # which may have ended while it was looked at
            # Not a secret: so that not all processes try at once.
            await asyncio.sleep(pause * random.uniform(0.8, 1.0))  # noqa: S311
            pause = min(2 * pause, PAUSE_SECONDS_MAX)

    async def _watch(self, line: Connection) -> None:
        """Return when a line is to be replaced; at once without it if it is of no use any more."""
        old = self._loop.time() + self._line_seconds * random.uniform(0.8, 1.2)  # noqa: S311
        silences = 0
        while (left := old - self._loop.time()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, PING_SECONDS)):
                    await line.unwanted.wait()
            silences = silences + 1 if await line.is_of_no_use() else 0
            if line.unwanted.is_set() or silences == SILENCES_MAX:
                self._give_up(line)
                return

    async def _opened(self) -> Connection | None:
        self._number += 1
        channel: aio.Channel | None = None
        fresh: Connection | None = None
        try:
            channel = self._connect()
            fresh = await Connection.open(self._number, channel, self._waiting)
        except (grpc.RpcError, ClosingError, TimeoutError, OSError, ValueError) as problem:
            self._note(problem)
        except Exception:
            logger.exception("no line to the bank")
        finally:
            if channel is not None and fresh is None:
                await channel.close()
        return fresh

    def _note(self, problem: Exception) -> None:
        """Log why there is no line: once, and again when it is for another reason."""
        code = problem.code() if isinstance(problem, aio.AioRpcError) else None
        why = str(code) if code else type(problem).__name__
        if why != self._noted:
            logger.warning("no line to the bank", why=why)
        self._noted = why

    def _use(self, fresh: Connection) -> None:
        """Take a line for what comes from now on, and end the one before when it is done."""
        if self._current is not None:
            self._current.retire()
        else:
            self._some_since = self._loop.time()
        self._current, self._noted = fresh, ""
        self._has_been_open.set()
        ended = partial(self._ended, fresh)
        self._connections[fresh] = self._loop.create_task(fresh.run(ended))
        fresh.wake()
        logger.info("a line to the bank is open", is_line=fresh.has_line)

    def _give_up(self, connection: Connection) -> None:
        connection.retire()
        if self._current is connection:
            self._current, now = None, self._loop.time()
            lasted = now - self._some_since
            self._none_since = now if lasted >= STEADY_SECONDS else self._none_since + lasted

    def _ended(self, connection: Connection) -> None:
        del self._connections[connection]
        self._give_up(connection)


def _tell(ended: "asyncio.Future[End]", end: End) -> None:
    if not ended.done():  # whoever asked may be gone
        ended.set_result(end)


def _told(end: End) -> pb.Outcome | Failure:
    match end:
        case Answered(answer):
            return answer
        case Late():
            return _LATE
        case Lost():
            return _LOST
        case NotSent():
            return _NOT_SENT
        case _:
            assert_never(end)
