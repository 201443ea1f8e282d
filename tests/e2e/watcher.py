"""A client of REST that watches events, as a page in a browser does."""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2 as httpx
import yaml

from tests.e2e.stack import Stack

ORIGIN = "http://127.0.0.1:5173"
AUTHORIZE = {
    "card_details": {
        "pan": "4242 4242 4242 4242",
        "expiry": {"month": 12, "year": 2040},
        "cvv": "123",
    },
    "amount": {"minor_units": 1000, "currency": "GBP"},
}


def worker_of(stack: Stack) -> str:
    """Return where a stack's only worker of payments is called, past the edge."""
    config = yaml.safe_load((stack.data_dir / "run" / "envoy.yaml").read_text())
    clusters = {one["name"]: one for one in config["static_resources"]["clusters"]}
    (group,) = clusters["payments"]["load_assignment"]["endpoints"]
    (worker,) = group["lb_endpoints"]
    place = worker["endpoint"]["address"]["socket_address"]
    return f"{place['address']}:{place['port_value']}"


def client(stack: Stack, key: str = "") -> httpx.AsyncClient:
    """Return a client with a key, the demo merchant's by default."""
    headers = {"authorization": f"Bearer {key or stack.api_key}"}
    # What is between two messages is longer than any call may take.
    timeout = httpx.Timeout(10, read=12)
    return httpx.AsyncClient(base_url=stack.url, headers=headers, timeout=timeout)


@asynccontextmanager
async def watching(
    asking: httpx.AsyncClient, **asked: str
) -> AsyncIterator[tuple[httpx.Response, AsyncIterator[Any]]]:
    """Watch, and give the response and its messages as they come."""
    async with asking.stream(
        "GET", "/events/watch", params=asked, headers={"origin": ORIGIN}
    ) as response:
        yield response, messages(response)


async def messages(response: httpx.Response) -> AsyncIterator[Any]:
    """Give each message: a line of data, and an empty one behind it."""
    data = ""
    async for line in response.aiter_lines():
        if line:
            assert line.startswith("data: "), line
            assert not data, line
            data = line
        else:
            yield json.loads(data.removeprefix("data: "))
            data = ""


async def pay(asking: httpx.AsyncClient) -> str:
    """Authorize a payment, and return its id."""
    reply = await asking.post("/authorize", json=AUTHORIZE)
    assert reply.status_code == 200, reply.text
    return str(reply.json()["payment"]["id"])


class Follower:
    """Watches for as long as it may, from the last cursor on whenever the stream has ended."""

    def __init__(self, asking: httpx.AsyncClient, pause: Callable[[], Any]) -> None:
        self.seen: list[str] = []
        self.cursor = ""
        self.streams = 0
        self.failures = 0
        self.longest_silence = 0.0
        self._asking = asking
        self._pause = pause

    async def run(self) -> None:
        """Follow, until cancelled."""
        while True:
            try:
                async with watching(self._asking, cursor=self.cursor) as (response, told):
                    if response.status_code == 200:
                        self.streams += 1
                        await self._read(told)
                    else:
                        assert response.status_code == 503, await response.aread()
                        self.failures += 1
            except httpx.TransportError:
                self.failures += 1
            await self._pause()

    async def _read(self, told: AsyncIterator[Any]) -> None:
        last = time.monotonic()
        async for message in told:
            self.longest_silence = max(self.longest_silence, time.monotonic() - last)
            last = time.monotonic()
            self.cursor = message["cursor"]
            if "event" in message:
                self.seen.append(message["event"]["data"]["payment"]["id"])
