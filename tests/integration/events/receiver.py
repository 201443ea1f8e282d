"""A merchant's endpoint: a real HTTP server in this process, which remembers what it gets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Received:
    """One request, as it came."""

    time: float  # of the monotonic clock, in seconds
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The event's id."""
        return self.headers["webhook-id"]

    @property
    def payment_id(self) -> str:
        """The id of the payment that the event is about."""
        payment_id: str = json.loads(self.body)["data"]["payment"]["id"]
        return payment_id

    @property
    def sequence(self) -> int:
        """The event's number in its payment."""
        return int(json.loads(self.body)["sequence"])


@dataclass
class Receiver:
    """Answers with `status` after `seconds`, or with what `decide` says of a request."""

    url: str = ""
    status: int = 200
    seconds: float = 0.0
    decide: Callable[[Received], int] | None = None
    received: list[Received] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        """Remember a request and answer it."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        got = Received(monotonic(), headers, await request.read())
        self.received.append(got)
        await asyncio.sleep(self.seconds)
        status = self.decide(got) if self.decide else self.status
        where = {"location": self.url} if 300 <= status < 400 else {}
        return web.Response(status=status, text="thanks", headers=where)


@asynccontextmanager
async def receiving(**kwargs: object) -> AsyncIterator[Receiver]:
    """Run a receiver on a port of its own."""
    receiver = Receiver(**kwargs)  # type: ignore[arg-type]
    application = web.Application()
    application.router.add_post("/hooks", receiver.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    try:
        yield receiver
    finally:
        await runner.cleanup()
