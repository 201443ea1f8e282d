"""One attempt to post an event: a signed request, and the status or the words that came of it."""

import asyncio
from collections.abc import Mapping

from pkg.process.mode import Mode
from pkg.values import value
from services.events.exchange import (
    AnswerReader,
    ConnectionLostError,
    UnansweredError,
    request_of,
)
from services.events.lines import ADDRESS_NOT_ALLOWED, Line, Lines
from services.events.target import Target, UrlNotAllowedError, target_of

USER_AGENT = "paygate-webhooks/1"

# For what follows the status. By then the answer is known: this is so that a receiver that did
# everything right does not find its connection reset.
_REST_SECONDS_MAX = 0.25


@value(frozen=True, slots=True)
class Answer:
    """The status that came back; 0 and words for why when none did.

    `reply` is the first KiB of the body as text, see `reply_text.py`. `inbox` is what the sandbox's
    inbox is to keep, headers and body.
    """

    status: int
    error: str = ""
    reply: str = ""
    inbox: tuple[Mapping[str, str], bytes] | None = None

    @property
    def is_acceptance(self) -> bool:
        """Whether the event was taken."""
        return 200 <= self.status < 300


class Poster:
    """Posts to where it is allowed to. To be made inside a running event loop.

    Args:
        mode: Which places are allowed.
        timeout_seconds: For all of an attempt: the name, the connection, the answer's status.
        own_ports: Where on the loopback interface paygate itself listens.
    """

    def __init__(
        self, mode: Mode, *, timeout_seconds: float, own_ports: frozenset[int] = frozenset()
    ) -> None:
        self._mode = mode
        self._timeout_seconds = timeout_seconds
        self._lines = Lines(mode, own_ports)

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, owner: str
    ) -> Answer:
        """Post once; whatever goes wrong is an answer too. Redirects are not followed.

        Nothing of the answer counts but its status; the start of its body is there to be shown.
        `owner` is whose endpoint it is: what names take to be resolved is bounded for each.
        """
        try:
            target = target_of(url, self._mode)
        except UrlNotAllowedError:
            return Answer(0, ADDRESS_NOT_ALLOWED)
        headers = {"user-agent": USER_AGENT, **headers}
        if target.inbox_status is not None:
            return Answer(target.inbox_status, inbox=(headers, body))
        request = request_of(target, headers, body)
        deadline = asyncio.get_running_loop().time() + self._timeout_seconds
        try:
            return await self._post(target, request, deadline, owner)
        except UnansweredError as problem:
            return Answer(0, str(problem))

    def is_to_listener(self, url: str) -> bool:
        """Tell whether a program takes what goes there: then nothing is posted from here."""
        try:
            return target_of(url, self._mode).is_listener
        except UrlNotAllowedError:
            return False

    async def close(self) -> None:
        """Close all connections."""
        self._lines.close()

    async def _post(self, target: Target, request: bytes, deadline: float, owner: str) -> Answer:
        if line := self._lines.take(target):
            try:
                return await self._exchange(target, line, request, deadline)
            except ConnectionLostError:
                # As a rule the receiver has just closed it. If it has the event after all, it drops
                # the second by its id.
                pass
        line = await self._lines.open(target, deadline, owner=owner)
        return await self._exchange(target, line, request, deadline)

    async def _exchange(
        self, target: Target, line: Line, request: bytes, deadline: float
    ) -> Answer:
        answer, again = AnswerReader(line), False
        try:
            line.write(request)
            status = await answer.status(deadline)
            again = await _ended(answer, status)
        finally:
            if again:
                self._lines.keep(target, line)
            else:
                line.close()
        return Answer(status, reply=answer.reply)


async def _ended(answer: AnswerReader, status: int) -> bool:
    deadline = asyncio.get_running_loop().time() + _REST_SECONDS_MAX
    try:
        return await answer.end(status, deadline)
    except UnansweredError:
        return False
