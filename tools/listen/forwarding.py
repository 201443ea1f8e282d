"""Taking messages, posting them, and answering: what `paygate listen` does until it is stopped."""

import asyncio
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import httpx2

from paygate_client import AsyncPaygate, ListenerMessage, ListenerProblem
from paygate_client.errors import PaygateError
from tools.cli.following import AWAY

# The gateway waits for an answer for 15 seconds.
POST_SECONDS_MAX = 12.0
REPLY_CHARACTERS_MAX = 1_280
AGAIN_SECONDS_MAX = 5.0


@dataclass(frozen=True, kw_only=True)
class Forwarded:
    """What came of one message; `counted` is whether the gateway has waited for it."""

    message: ListenerMessage
    event_type: str
    status_code: int
    problem: ListenerProblem | None
    milliseconds: float
    counted: bool


class Forwarder:
    """Posts what is for one endpoint to an address on this machine, until it is stopped.

    Args:
        api: The gateway.
        endpoint_id: `we_…`, of an endpoint for listeners.
        target: Where to post.
        http: What posts there.
        tell: Is told of each message.
        note: Is told, in words, when the gateway goes away and comes back.
    """

    def __init__(
        self,
        api: AsyncPaygate,
        endpoint_id: str,
        target: str,
        http: httpx2.AsyncClient,
        *,
        tell: Callable[[Forwarded], None],
        note: Callable[[str], None],
    ) -> None:
        self._api, self._endpoint_id = api, endpoint_id
        self._target, self._http = target, http
        self._tell, self._note = tell, note
        self._name = str(uuid.uuid4())

    async def run(self, ready: Callable[[], None]) -> None:
        """Forward for ever; `ready` is called when nothing is missed any more.

        Raises:
            NotFoundError: The endpoint was removed.
            PaygateError: The gateway has refused: the key is not good any more, or another listener
                has begun.
        """
        posting: set[asyncio.Task[None]] = set()
        try:
            await self._take_until_stopped(posting, ready)
        finally:
            for task in posting:
                task.cancel()
            await asyncio.gather(*posting, return_exceptions=True)

    async def _take_until_stopped(
        self, posting: set[asyncio.Task[None]], ready: Callable[[], None]
    ) -> None:
        begin, failures = True, 0
        while True:
            try:
                messages = await self._api.sandbox.take_webhooks(
                    self._endpoint_id, self._name, begin=begin
                )
            except AWAY:
                failures += 1
                if failures == 1:
                    self._note("The gateway does not answer; trying again.")
                await asyncio.sleep(min(AGAIN_SECONDS_MAX, 0.1 * 2**failures))
                continue
            if failures:
                self._note("The gateway answers again.")
            if begin:
                ready()
            begin, failures = False, 0
            for message in messages:
                task = asyncio.create_task(self._forward(message))
                posting.add(task)
                task.add_done_callback(posting.discard)

    async def _forward(self, message: ListenerMessage) -> None:
        began = time.perf_counter()
        status_code, problem, reply = await self._post(message)
        milliseconds = (time.perf_counter() - began) * 1000
        try:
            counted = await self._api.sandbox.answer_webhook(
                self._endpoint_id, message.id, status_code=status_code, problem=problem, reply=reply
            )
        except PaygateError:  # it is tried again
            counted = False
        self._tell(
            Forwarded(
                message=message,
                event_type=str(json.loads(message.body).get("type", "")),
                status_code=status_code,
                problem=problem,
                milliseconds=milliseconds,
                counted=counted,
            )
        )

    async def _post(self, message: ListenerMessage) -> tuple[int, ListenerProblem | None, str]:
        """Return the status, or 0 and why there is none; and the start of the answer's body."""
        try:
            async with asyncio.timeout(POST_SECONDS_MAX):
                answer = await self._http.post(
                    self._target, content=message.body.encode(), headers=dict(message.headers)
                )
        except (TimeoutError, httpx2.TimeoutException):
            return 0, ListenerProblem.NO_ANSWER_IN_TIME, ""
        except httpx2.ConnectError:
            return 0, ListenerProblem.CONNECTION_REFUSED, ""
        except (httpx2.HTTPError, httpx2.InvalidURL):
            return 0, ListenerProblem.NO_CONNECTION, ""
        return answer.status_code, None, answer.text[:REPLY_CHARACTERS_MAX]
