"""`./paygate listen`: webhooks on a developer's own machine, with the real gateway and program."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2 as httpx
import pytest
from standardwebhooks import Webhook

from tests.e2e.operator import Operator
from tests.e2e.receiver import Receiver
from tests.e2e.stack import Stack
from tests.e2e.watcher import client, pay

REPOSITORY = Path(__file__).parents[2]
SECONDS_MAX = 20.0


@dataclass
class Program:
    """A running `./paygate listen`, and what it has said."""

    process: Process
    said: list[dict[str, object]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    async def noted(self, words: str) -> None:
        """Wait until it has said something on its standard error."""
        await until(lambda: any(words in line for line in self.notes))

    async def told(self, events: int) -> list[dict[str, object]]:
        """Wait until it has told of so many messages; return all."""
        await until(lambda: len(self.said) >= events)
        return self.said


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something."""
    async with asyncio.timeout(SECONDS_MAX):
        while not is_so():
            await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Desk:
    """A merchant, and where programs of theirs keep what they know."""

    url: str
    key: str
    home: Path

    @asynccontextmanager
    async def listening(self, *options: str) -> AsyncIterator[Program]:
        """Run the command until the block ends."""
        process = await asyncio.create_subprocess_exec(
            str(REPOSITORY / "paygate"),
            "listen",
            "--json",
            *options,
            env=self._environment(),
            stdout=PIPE,
            stderr=PIPE,
        )
        program = Program(process)
        assert process.stdout
        assert process.stderr
        reading = asyncio.gather(
            _read(process.stdout, lambda line: program.said.append(json.loads(line))),
            _read(process.stderr, program.notes.append),
        )
        try:
            yield program
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()
            await reading

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PAYGATE_URL": self.url,
            "PAYGATE_API_KEY": self.key,
            "XDG_STATE_HOME": str(self.home),
        }


async def _read(stream: asyncio.StreamReader, take: Callable[[str], None]) -> None:
    async for line in stream:
        take(line.decode().strip())


@pytest.fixture(scope="module")
def key(operator: Operator) -> str:
    """The key of a merchant of these tests."""
    return operator.new_merchant("mer_listen")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """What developers work on: a server on their own machine."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def desk(stack: Stack, key: str, tmp_path: Path) -> Desk:
    """The merchant on a machine of their own."""
    return Desk(stack.url, key, tmp_path)


@pytest.fixture
async def asking(stack: Stack, key: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that merchant; afterwards nothing is left."""
    async with client(stack, key) as opened:
        yield opened
        await opened.post("/sandbox/reset", json={})


async def test_events_are_posted_here_and_answered(
    desk: Desk, asking: httpx.AsyncClient, receiver: Receiver
) -> None:
    """Signed by a secret that stays the same, within a moment, and seen as any delivery."""
    async with desk.listening("--forward-to", f"127.0.0.1:{receiver.port}/hook") as program:
        await program.noted("Ready.")
        await pay(asking)
        (said,) = await program.told(1)
        assert (said["type"], said["status_code"], said["counted"]) == (
            "payment.authorized",
            200,
            True,
        )
        (posted,) = receiver.posted("/hook")
    async with desk.listening("--print-secret") as program:
        assert await program.process.wait() == 0
        (told,) = await program.told(1)
    endpoints = (await asking.get("/webhook-endpoints")).json()["endpoints"]
    assert [one["url"] for one in endpoints] == ["https://listener.paygate.test/default"]
    deliveries = (await asking.get(f"/events/{said['event_id']}/deliveries")).json()["deliveries"]
    assert [one["status"] for one in deliveries] == ["STATUS_DELIVERED"]
    assert (
        Webhook(str(told["secret"])).verify(posted.body, dict(posted.headers))["id"]
        == said["event_id"]
    )


async def test_nothing_is_lost_when_the_program_is_killed(
    desk: Desk, asking: httpx.AsyncClient, receiver: Receiver
) -> None:
    """What happens meanwhile comes to the next one, and each event is taken once."""
    paid = []
    target = ("--forward-to", f"127.0.0.1:{receiver.port}/hook")
    async with desk.listening(*target) as program:
        await program.noted("Ready.")
        paid += [await pay(asking) for _ in range(5)]
        program.process.kill()
    paid += [await pay(asking) for _ in range(5)]
    async with desk.listening(*target):
        await until(lambda: len({one.body for one in receiver.posted("/hook")}) >= len(paid))
        await asyncio.sleep(1)
    came = [json.loads(one.body)["data"]["payment"]["id"] for one in receiver.posted("/hook")]
    assert set(came) == set(paid)
    # Only what was under way when one was killed can have come twice, and says so by its id.
    assert len(came) - len(paid) <= 5
    assert len({one.headers["webhook-id"] for one in receiver.posted("/hook")}) == len(paid)


async def test_a_target_that_is_down_is_said_and_tried_again(
    desk: Desk, asking: httpx.AsyncClient, receiver: Receiver
) -> None:
    """By the schedule of every endpoint."""
    receiver.status = 503
    async with desk.listening("--forward-to", f"127.0.0.1:{receiver.port}/hook") as program:
        await program.noted("Ready.")
        await pay(asking)
        (first,) = await program.told(1)
        receiver.status = 204
        _, second = await program.told(2)
    assert (first["status_code"], first["attempt"]) == (503, 1)
    assert (second["status_code"], second["attempt"]) == (204, 2)
    async with desk.listening("--forward-to", "127.0.0.1:9/nobody") as program:
        await program.noted("Ready.")
        await pay(asking)
        (said,) = await program.told(1)
    assert (said["status_code"], said["problem"]) == (0, "CONNECTION_REFUSED")


async def test_the_last_one_to_begin_listens(desk: Desk, receiver: Receiver) -> None:
    """The one before is told, and ends."""
    target = ("--forward-to", f"127.0.0.1:{receiver.port}/hook")
    async with desk.listening(*target) as first:
        await first.noted("Ready.")
        async with desk.listening(*target) as second:
            await second.noted("Ready.")
            assert await first.process.wait() == 1
            await first.noted("LISTENER_REPLACED")


async def test_what_is_wrong_is_said(desk: Desk, receiver: Receiver) -> None:
    """And ends the program with the code of its kind."""
    target = ("--forward-to", f"127.0.0.1:{receiver.port}/hook")
    stranger = replace(desk, key="sk_0000000000000000_" + "0" * 64)
    async with stranger.listening(*target) as program:
        assert await program.process.wait() == 1
        await program.noted("INVALID_API_KEY")
    async with desk.listening(*target, "--events", "payment.nonsense") as program:
        assert await program.process.wait() == 1
        await program.noted("event_types")
    async with desk.listening() as program:
        assert await program.process.wait() == 2
        await program.noted("--forward-to")
    nowhere = replace(desk, url="http://127.0.0.1:9")
    async with nowhere.listening(*target) as program:
        assert await program.process.wait() == 3
        await program.noted("does not answer")
