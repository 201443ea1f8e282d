"""Sends calls over HTTP until it is known what became of them, or the time is over."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import TypeVar

import httpx2

from paygate_client._address import headers_for
from paygate_client._call import Call
from paygate_client._sending import (
    REPLY_BYTES_MAX,
    SILENCE_SECONDS_MAX,
    Again,
    Broken,
    Deadline,
    Done,
    Lines,
    Over,
    Reply,
    key_for,
    next_step,
)

T = TypeVar("T")
logger = logging.getLogger("paygate_client")


class AsyncTransport:
    """One gateway, one API key, and connections to it.

    Args:
        url: The gateway's address.
        api_key: The merchant's.
        deadline_seconds: How long a call may take, with all attempts and pauses; an attribute, too.
        transport: What carries HTTP; by default a pool of connections, without any proxy.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        deadline_seconds: float,
        transport: httpx2.AsyncBaseTransport | None,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = headers_for(self._url, api_key)
        self.deadline_seconds = deadline_seconds
        # Left to itself, the client would send key and cards to the proxies that the environment
        # names: in plain text, where the address is one of http, and for loopback, too.
        self._http = httpx2.AsyncClient(transport=transport or httpx2.AsyncHTTPTransport())

    async def send(self, call: Call[T], idempotency_key: str | None = None) -> T:
        """Make a call, with one key over all attempts; return its result.

        Raises:
            PaygateError: It was refused, or nothing is known until the deadline.
            ValueError: The key is not 1 to 255 visible ASCII characters.
        """
        key = key_for(call, idempotency_key)
        deadline = Deadline(self.deadline_seconds, waits_seconds=call.waits_seconds)
        number = 1
        while True:
            attempt = await self._attempt(call, key, deadline)
            left = deadline.seconds_left
            match next_step(call, attempt, number=number, key=key, seconds_left=left):
                case Done(result):
                    return result
                case Over(error):
                    raise error
                case Again(seconds, why):
                    logger.info("%s: %s, again in %.2f s", call.name, why, seconds)
                    await self.pause(seconds)
                    number += 1

    async def stream(self, call: Call[T], deadline: Deadline) -> AsyncGenerator[Reply | Broken]:
        """Yield each message of a stream as a reply of its own, and last what has ended it."""
        timeout = httpx2.Timeout(deadline.attempt_seconds, read=SILENCE_SECONDS_MAX)
        try:
            reply = await self._http.send(self._request(call, None, timeout), stream=True)
            headers, lines = dict(reply.headers), Lines()
            try:
                if reply.status_code != 200:
                    body = await self._read(reply, deadline)
                    yield Reply(reply.status_code, headers, body)
                    return
                async for piece in reply.aiter_raw():
                    for message in lines.of(piece):
                        yield Reply(200, headers, message)
                    if lines.are_too_long:
                        raise httpx2.RemoteProtocolError("a message without an end")
            finally:
                await reply.aclose()
        except httpx2.TransportError as error:
            yield Broken(type(error).__name__)
        else:
            yield Broken("the stream ended")

    async def pause(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _attempt(self, call: Call[T], key: str | None, deadline: Deadline) -> Reply | Broken:
        # The request alone holds the body, and neither it nor an error of httpx2, which has it,
        # goes on from here.
        request = self._request(call, key, httpx2.Timeout(deadline.attempt_seconds))
        try:
            reply = await self._http.send(request, stream=True)
            try:
                body = await self._read(reply, deadline)
            finally:
                await reply.aclose()
        except httpx2.TransportError as error:
            return Broken(type(error).__name__)
        return Reply(reply.status_code, dict(reply.headers), body)

    def _request(self, call: Call[T], key: str | None, timeout: httpx2.Timeout) -> httpx2.Request:
        request = self._http.build_request(
            call.method,
            self._url + call.target,
            headers={**self._headers, **({"idempotency-key": key} if key else {})},
            content=call.content(),
            timeout=timeout,
        )
        if call.body is not None:
            request.headers["content-type"] = "application/json"
        return request

    async def _read(self, reply: httpx2.Response, deadline: Deadline) -> bytes:
        body = bytearray()
        async for piece in reply.aiter_raw():
            body += piece
            if deadline.is_long_past:
                raise httpx2.ReadTimeout("the deadline came before the end")
            if len(body) > REPLY_BYTES_MAX:
                raise httpx2.RemoteProtocolError("a reply without an end")
        return bytes(body)
