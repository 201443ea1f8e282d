"""A low and steady load on a whole stack: a merchant who stays, and sandboxes that come and go."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx2
from grpc import aio

from paygate_client import AsyncPaygate, NotFoundError
from tests.e2e.stack import Stack
from tests.proofs.soak.receiver import Receiver
from tests.proofs.soak.stories import Merchant
from tools.stack.settings import REPOSITORY

CALLS_PER_STORY = 7.0  # about; only the pace depends on it
GUESTS = 3  # sandboxes at once
GUEST_SECONDS = 100.0
GUEST_LIFE = timedelta(seconds=GUEST_SECONDS + 60)
TURN_SECONDS = 300.0  # between two turns of the clock of the merchant who stays
TURN = timedelta(hours=25)
WATCH_SECONDS = 30.0  # of a stream that is closed and opened again
ERRORS_MAX = 50  # that are kept in words


class Counting(httpx2.AsyncHTTPTransport):
    """Carries HTTP, and counts what was answered."""

    def __init__(self, told: Counter[str]) -> None:
        super().__init__(limits=httpx2.Limits(max_connections=64))
        self._told = told

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one."""
        reply = await super().handle_async_request(request)
        self._told[str(reply.status_code)] += 1
        return reply


class Load:
    """All that goes on.

    Args:
        stack: That runs.
        receiver: Where webhooks go.
        rate: Calls a second, about.
    """

    def __init__(self, stack: Stack, receiver: Receiver, rate: float) -> None:
        self.told: Counter[str] = Counter()
        self.stories = 0
        self.guests = 0
        self.watched = 0
        self.turns = 0
        self.errors: list[str] = []
        self.errors_count = 0
        self._stack, self._receiver = stack, receiver
        self._pause = 2 * CALLS_PER_STORY / rate  # the guests do half of it
        self._under_way: set[asyncio.Task[None]] = set()
        self._channel = aio.insecure_channel(stack.grpc)
        self._owner = self._client(stack.api_key)
        self.keeper = Merchant(self._owner, self._channel, stack.api_key, self.told)

    async def run(self, seconds: float) -> None:
        """Go on for so long; then end what is under way, sandboxes too."""
        until = time.monotonic() + seconds
        await self._owner.endpoints.create(self._receiver.url)
        streams = [
            asyncio.create_task(self._watch(self._owner, length))
            for length in (seconds, seconds, WATCH_SECONDS)
        ]
        try:
            await asyncio.gather(
                self._keep(until), *(self._guest_after_guest(until) for _ in range(GUESTS))
            )
        finally:
            for stream in streams:
                stream.cancel()
            await asyncio.gather(*streams, return_exceptions=True)
        await asyncio.gather(*self._under_way)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._owner.aclose()
        await self._channel.close()

    async def _keep(self, until: float) -> None:
        """Tell stories at a steady pace; turn the clock now and then."""
        turn = time.monotonic() + min(TURN_SECONDS, (until - time.monotonic()) / 3)
        while time.monotonic() < until:
            self._begin(self.keeper)
            await asyncio.sleep(random.uniform(0.5, 1.5) * self._pause)
            if time.monotonic() > turn:
                # A key that a day has passed over may be used again: no repeat may meet that.
                await asyncio.gather(*self._under_way)
                await self._owner.sandbox.advance(TURN)
                self.turns += 1
                turn = time.monotonic() + TURN_SECONDS
                await self._desk(self._owner)

    async def _desk(self, client: AsyncPaygate) -> None:
        """Do what a merchant does to endpoints."""
        made = await client.endpoints.create(self._receiver.url, description="for a while")
        await client.endpoints.send_test(made.endpoint.id)
        await client.endpoints.rotate_secret(made.endpoint.id)
        await client.endpoints.update(made.endpoint.id, description="no longer")
        async for _ in client.endpoints.list_deliveries(made.endpoint.id).pages():
            break
        await client.endpoints.delete(made.endpoint.id)

    def _begin(self, merchant: Merchant) -> None:
        task = asyncio.create_task(self._told(merchant))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _told(self, merchant: Merchant) -> None:
        try:
            await merchant.story()
            self.stories += 1
        except Exception as problem:  # noqa: BLE001 -- every one of them counts against the gateway
            self._wrong(problem)

    def _wrong(self, problem: Exception) -> None:
        self.errors_count += 1
        if len(self.errors) < ERRORS_MAX:
            self.errors.append(f"{type(problem).__name__}: {problem}")

    async def _guest_after_guest(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            try:
                await self._guest(min(GUEST_SECONDS, left))
            except Exception as problem:  # noqa: BLE001 -- as above
                self._wrong(problem)

    async def _guest(self, seconds: float) -> None:
        """Make a sandbox, live in it, and remove it; every second one goes by itself."""
        self.guests += 1
        number, until = self.guests, time.monotonic() + seconds
        made = await self._owner.sandbox.create_sandbox("guest", time_to_live=GUEST_LIFE)
        async with self._client(made.api_key) as client:
            await client.endpoints.create("https://inbox.paygate.test/")
            await client.endpoints.create(self._receiver.url)
            stream = asyncio.create_task(self._watch(client, 2 * seconds))
            guest = Merchant(client, self._channel, made.api_key, self.told)
            turned = False
            try:
                while time.monotonic() < until:
                    await self._told(guest)
                    await asyncio.sleep(random.uniform(0.5, 1.5) * self._pause * GUESTS)
                    if not turned and time.monotonic() > until - seconds / 2:
                        turned = True
                        await client.sandbox.advance(timedelta(days=8))
            finally:
                stream.cancel()
                await asyncio.gather(stream, return_exceptions=True)
        if number % 2:
            await self._owner.sandbox.delete_sandbox(made.sandbox)

    async def _watch(self, client: AsyncPaygate, seconds: float) -> None:
        """Watch events; where `seconds` is short, over one stream after another."""
        while True:
            try:
                async with asyncio.timeout(seconds), client.events.watch() as watch:
                    async for _ in watch:
                        self.watched += 1
            except TimeoutError:
                continue
            except NotFoundError as problem:
                self._wrong(problem)

    def _client(self, key: str) -> AsyncPaygate:
        return AsyncPaygate(self._stack.url, key, transport=Counting(self.told))


@asynccontextmanager
async def listening(stack: Stack, receiver: Receiver) -> AsyncIterator[int]:
    """Run `paygate listen` for the merchant who stays, and give its process id."""
    process = await asyncio.create_subprocess_exec(
        *(str(REPOSITORY / "paygate"), "listen", "--forward-to", receiver.url),
        env={**os.environ, "PAYGATE_URL": stack.url, "PAYGATE_API_KEY": stack.api_key},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        await process.wait()
