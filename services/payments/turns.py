"""Taking turns at a payment, within one process."""

import asyncio
from collections import deque
from typing import Any, Generic, TypeVar

from services.payments.domain.errors import ConcurrentUpdateError

TOGETHER_MAX = 64

Work = TypeVar("Work")
# Merchant and payment: whoever guesses another's payment stands in a line of their own.
Place = tuple[str, str]


class Turns:
    """Lets one change of a payment at a time be decided and stored here, first come, first served.

    Not for safety: the store refuses a change that was decided on an old version, whoever made it.
    For speed: of many who decide at once all but one would have to decide again. Whoever had to
    wait can do in one turn what those behind want as well.
    """

    def __init__(self) -> None:
        # Those who wait behind somebody; a line lives as long as somebody has the turn.
        self._lines: dict[Place, deque[Turn[Any]]] = {}

    def of(self, place: Place, work: Work, *, wait_seconds_max: float) -> "Turn[Work]":
        """Wait for the turn, or until somebody has done the work in theirs.

        Raises:
            ConcurrentUpdateError: It did not come in time.
        """
        return Turn(self._lines, place, work, wait_seconds_max)


class Turn(Generic[Work]):
    """A turn at a payment, and what is to be done in it.

    `waited`: others were first, so that what is known may be old. `is_done`: somebody has done the
    work in a turn of theirs, or in this one together with others.
    """

    __slots__ = (
        "_come",
        "_lines",
        "_outcome",
        "_place",
        "_problem",
        "_told",
        "_wait_max",
        "is_done",
        "waited",
        "work",
    )

    def __init__(
        self,
        lines: "dict[Place, deque[Turn[Any]]]",
        place: Place,
        work: Work,
        wait_seconds_max: float,
    ) -> None:
        self.work = work
        self.waited = False
        self.is_done = False
        self._outcome: Any = None
        self._problem: BaseException | None = None
        self._lines = lines
        self._place = place
        self._wait_max = wait_seconds_max
        self._come: asyncio.Future[None] | None = None  # the turn, or somebody who takes it along
        self._told: asyncio.Future[None] | None = None  # what that somebody has made of it

    async def __aenter__(self) -> "Turn[Work]":
        line = self._lines.get(self._place)
        if line is None:
            self._lines[self._place] = deque()
            return self  # at once: no lock is made, and no timer
        self.waited = True
        self._come = come = asyncio.get_running_loop().create_future()
        line.append(self)
        try:
            async with asyncio.timeout(self._wait_max):
                await come
        except TimeoutError as problem:
            if not self._has_come():
                raise ConcurrentUpdateError from problem
        except BaseException:
            if self._has_come() and self._told is None:
                self._leave()
            raise
        if self._told is not None:
            # However long it takes: what is done cannot be called off.
            await self._told
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._told is None:
            self._leave()

    def others(self) -> "list[Turn[Work]]":
        """Take those along who wait for the same kind of work; each has to be told, or failed."""
        line, taken = self._lines[self._place], list[Turn[Work]]()
        for turn in list(line):
            is_alike = type(turn.work) is type(self.work) and turn._waits()  # noqa: SLF001  # our own
            if is_alike and len(taken) < TOGETHER_MAX - 1:
                line.remove(turn)
                turn._take()  # noqa: SLF001  # as above
                taken.append(turn)
        return taken

    def result(self) -> Any:
        """Return what was made of the work, or raise what kept it from being done."""
        if self._problem is not None:
            raise self._problem
        return self._outcome

    def tell(self, outcome: object) -> None:
        """Say what was made of the work."""
        self._end(outcome, None)

    def fail(self, problem: BaseException) -> None:
        """Say what kept the work from being done; who was told something else keeps to that."""
        self._end(None, problem)

    def _end(self, outcome: object, problem: BaseException | None) -> None:
        if self.is_done:
            return
        self.is_done, self._outcome, self._problem = True, outcome, problem
        if self._told is not None and not self._told.done():
            self._told.set_result(None)

    def _take(self) -> None:
        self._told = asyncio.get_running_loop().create_future()
        self._wake()

    def _wake(self) -> bool:
        """Say that the turn has come, or somebody who does it; return whether anybody waits."""
        if self._come is None or not self._waits():
            return False
        self._come.set_result(None)
        return True

    def _waits(self) -> bool:
        """Tell whether it waits still. Who has given up may be in the line until it is passed."""
        return self._come is not None and not self._come.done()

    def _has_come(self) -> bool:
        return self._come is not None and self._come.done() and not self._come.cancelled()

    def _leave(self) -> None:
        """Hand the turn to the next one in line: a newcomer is behind them."""
        line = self._lines[self._place]
        while line:
            if line.popleft()._wake():  # noqa: SLF001  # our own
                return
        del self._lines[self._place]
