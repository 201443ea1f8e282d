"""Taking turns at a payment, within one process."""

import asyncio
from collections import deque

from services.payments.domain.error import ConcurrentUpdateError

_Line = deque["asyncio.Future[None]"]


class Turns:
    """Lets one change of a payment at a time be decided and stored here, first come, first served.

    Not for safety: the store refuses a change that was decided on an old version, whoever made it.
    For speed: of many who decide at once all but one would have to decide again.
    """

    def __init__(self) -> None:
        # Those who wait behind somebody; a line lives as long as somebody has the turn.
        self._lines: dict[str, _Line] = {}

    def of(self, payment_id: str, *, wait_seconds_max: float) -> "_Turn":
        """Wait for the turn; yield whether others were first, so that what is known may be old.

        Raises:
            ConcurrentUpdateError: It did not come in time.
        """
        return _Turn(self._lines, payment_id, wait_seconds_max)


class _Turn:
    __slots__ = ("_lines", "_payment_id", "_wait_seconds_max")

    def __init__(self, lines: dict[str, _Line], payment_id: str, wait_seconds_max: float) -> None:
        self._lines = lines
        self._payment_id = payment_id
        self._wait_seconds_max = wait_seconds_max

    async def __aenter__(self) -> bool:
        line = self._lines.get(self._payment_id)
        if line is None:
            self._lines[self._payment_id] = deque()
            return False  # at once: no lock is made, and no timer
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            async with asyncio.timeout(self._wait_seconds_max):
                await turn
        except BaseException as problem:
            if turn.done() and not turn.cancelled():
                self._leave()  # it had come, just then
            turn.cancel()
            if isinstance(problem, TimeoutError):
                raise ConcurrentUpdateError from problem
            raise
        return True

    async def __aexit__(self, *_: object) -> None:
        self._leave()

    def _leave(self) -> None:
        """Hand the turn to the next one in line: a newcomer is behind them."""
        line = self._lines[self._payment_id]
        while line:
            turn = line.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._lines[self._payment_id]
