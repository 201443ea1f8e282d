"""The bank as a process: killed, stopped, started without its database; and what it prints."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest
from grpc import aio

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from services.acquirer.cards import CARDS
from tests.integration.acquirer.line import APPROVED, SLOW_CARD, Line, authorize_request
from tools.stack import ports
from tools.stack.settings import REPOSITORY

CVV = "737"


@dataclass
class Running:
    """The process, and a line to it."""

    process: asyncio.subprocess.Process
    line: Line

    async def ended(self, number: signal.Signals) -> int:
        """Send the signal and return the exit code."""
        self.process.send_signal(number)
        return await self.process.wait()


@asynccontextmanager
async def bank(url: str, log: Path, **environment: str) -> AsyncIterator[Running]:
    """Run the bank as `make run` does; whatever it prints is appended to `log`."""
    address = f"127.0.0.1:{ports.free(1)[0]}"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "services.acquirer",
            cwd=REPOSITORY,
            stdout=output,
            stderr=output,
            env={
                "PATH": os.defpath,
                "PYTHONPATH": ".:build/python",
                "ACQUIRER_DATABASE_URL": url,
                "ACQUIRER_LISTEN": address,
                "ACQUIRER_OUTAGE_SECONDS": "0",
                "ACQUIRER_SLOW_SECONDS": "0",
                **environment,
            },
        )
    try:
        async with aio.insecure_channel(address) as channel:
            yield Running(process, Line(channel))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_it_survives_being_killed(acquirer_database_url: str, tmp_path: Path) -> None:
    """After kill -9 and a restart the same references have the same outcomes."""
    log = tmp_path / "log"
    async with bank(acquirer_database_url, log) as before:
        first = await before.line.stub.Authorize(authorize_request(), wait_for_ready=True)
        captured = await before.line.capture()
        assert await before.ended(signal.SIGKILL) == -signal.SIGKILL
    async with bank(acquirer_database_url, log) as after:
        again = await after.line.stub.Authorize(authorize_request(), wait_for_ready=True)
        assert again == first
        assert await after.line.capture() == captured
        assert (await after.line.refund()).status == APPROVED


async def test_it_stops_in_good_order(acquirer_database_url: str, tmp_path: Path) -> None:
    """On SIGTERM what was asked before is done, answered, and in the book."""
    log = tmp_path / "log"
    async with bank(acquirer_database_url, log, ACQUIRER_SLOW_SECONDS="0.5") as running:
        await running.line.stub.Inquire(pb.InquireRequest(reference="-"), wait_for_ready=True)
        slow = running.line.stub.Authorize(authorize_request(pan=SLOW_CARD))
        await running.line.inquire("-")  # behind the slow request on the same connection
        assert await running.ended(signal.SIGTERM) == 0
        assert (await slow).outcome.status == APPROVED
    async with bank(acquirer_database_url, log) as after:
        inquiry = pb.InquireRequest(reference="auth")
        reply = await after.line.stub.Inquire(inquiry, wait_for_ready=True)
        assert reply.outcome == (await slow).outcome


async def test_what_never_ends_does_not_hold_it(acquirer_database_url: str, tmp_path: Path) -> None:
    """A call and an operation on a line are given up before it would be killed, and it says so."""
    log, card = tmp_path / "log", {"pan": SLOW_CARD}
    times = {"SLOW_SECONDS": "600", "DRAIN_SECONDS": "0.2", "TERMINATION_GRACE_SECONDS": "2"}
    environment = {f"ACQUIRER_{name}": seconds for name, seconds in times.items()}
    async with bank(acquirer_database_url, log, **environment) as running:
        stub = running.line.stub
        await stub.Inquire(pb.InquireRequest(reference="-"), wait_for_ready=True)
        call, line = stub.Authorize(authorize_request(**card)), stub.Line()
        operation = pb.Operation(number=1, authorize=authorize_request(reference="two", **card))
        await line.write(pb.LineRequest(operations=[operation]))
        await running.line.inquire("-")  # behind them on the same connection
        async with asyncio.timeout(4):
            assert await running.ended(signal.SIGTERM) == 0
        assert call.done()
    printed = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert "calls have not ended, and are given up" in [line["event"] for line in printed]
    assert not [line for line in printed if "exception" in line]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param("?host=/nowhere", "The bank's database cannot be reached.", id="away"),
        pytest.param("?sslmode=none&host=", "is malformed", id="malformed"),
        pytest.param("_2?host=", "The bank's database refuses: InvalidCatalogName", id="no such"),
    ],
)
async def test_it_says_why_it_cannot_start(
    acquirer_database_url: str, tmp_path: Path, change: str, words: str
) -> None:
    """In one line, without the address, which may hold a password."""
    url = acquirer_database_url.replace("acquirer@", "acquirer:swordfish@")
    url = url.replace("?host=", change)
    log = tmp_path / "log"
    attempts = {"ACQUIRER_CONNECT_ATTEMPTS_MAX": "2", "ACQUIRER_CONNECT_PAUSE_SECONDS": "0"}
    async with bank(url, log, **attempts) as running:
        assert await running.process.wait() == 1
    printed = log.read_text("utf-8")
    assert words in printed.splitlines()[-1]
    assert "Traceback" not in printed
    assert "swordfish" not in printed


async def test_no_card_is_ever_written(acquirer_database_url: str, tmp_path: Path) -> None:
    """Neither the book nor the log holds a card's number or verification value, in any form."""
    log = tmp_path / "log"
    async with bank(acquirer_database_url, log) as running:
        for number, pan in enumerate([*CARDS, "4242424242424241"]):
            request = authorize_request(reference=f"auth-{number}", pan=pan, cvv=CVV)
            try:
                await running.line.stub.Authorize(request, wait_for_ready=True)
            except aio.AioRpcError as error:
                assert pan not in repr(error)  # noqa: PT017  # some fail, as the card says
        assert await running.ended(signal.SIGTERM) == 0
    connection = await asyncpg.connect(acquirer_database_url)
    rows = await connection.fetch("SELECT * FROM authorizations")
    await connection.close()
    assert len(rows) == len(CARDS) - 2  # one request never arrives, and one is refused for good
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    for written in [*map(dict, rows), *lines]:
        text = _without_times_and_ids(written)
        assert not re.search(r"\d{12,}", text)
        assert CVV not in text


def test_times_and_ids_have_digits_of_their_own() -> None:
    """So they are not taken for a card's, while all else is looked at."""
    line = {"timestamp": "2026-11-28T00:55:04.773777Z", "duration_ms": 0.737, "reason": "737"}
    assert _without_times_and_ids(line) == "{'reason': '737'}"


def _without_times_and_ids(written: Mapping[str, object]) -> str:
    told = {"timestamp", "request_id", "duration_ms", "approval_code"}
    return str(
        {
            name: value
            for name, value in written.items()
            if name not in told and not isinstance(value, datetime)
        }
    )
