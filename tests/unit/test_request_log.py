"""The request log: one line of JSON for each call, gathered and written whole."""

import asyncio
import json
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from pkg.observe.request_log import GATHERED_MAX, RequestLog

METHOD = "/paygate.payments.v1.PaymentService/Capture"


def add(log: RequestLog, *, merchant_id: str = "mer_a", address: str = "192.0.2.7") -> None:
    """Log a call."""
    log.add(
        request_id="request-1",
        merchant_id=merchant_id,
        key_id="0123456789abcdef",
        address=address,
        method=METHOD,
        code="NOT_FOUND",
        reason="PAYMENT_NOT_FOUND",
        seconds=0.0012345,
        payment_id="pay_01m8542zavfj8rsw53v04cahtr",
    )


async def test_a_line_is_json() -> None:
    """Everything that is known of the call is in it, with the time and the service."""
    written: list[str] = []
    log = RequestLog("payments", written.append)
    before = datetime.now(UTC)
    add(log)
    log.flush()
    (text,) = written
    line = json.loads(text)
    # Microseconds are cut off, not rounded.
    assert -0.001 < (datetime.fromisoformat(line.pop("timestamp")) - before).total_seconds() < 5
    assert line == {
        "event": "request",
        "service": "payments",
        "level": "info",
        "request_id": "request-1",
        "merchant_id": "mer_a",
        "key_id": "0123456789abcdef",
        "address": "192.0.2.7",
        "method": METHOD,
        "code": "NOT_FOUND",
        "reason": "PAYMENT_NOT_FOUND",
        "duration_ms": 1.23,
        "payment_id": "pay_01m8542zavfj8rsw53v04cahtr",
    }


async def test_a_merchants_id_cannot_break_the_line() -> None:
    """Whatever an operator calls a merchant, the line is one line of JSON."""
    written: list[str] = []
    log = RequestLog("payments", written.append)
    odd = 'a"b\\c\nd\u2028é'
    add(log, merchant_id=odd)
    log.flush()
    assert json.loads(written[0])["merchant_id"] == odd
    assert written[0].count("\n") == 1


async def test_lines_are_written_soon_and_together() -> None:
    """Without being asked the log writes what has gathered, all of it at once."""
    done = asyncio.Event()
    written: list[str] = []

    def write(text: str) -> None:
        written.append(text)
        done.set()

    log = RequestLog("payments", write)
    for _ in range(3):
        add(log)
    assert not written
    async with asyncio.timeout(5):
        await done.wait()
    assert [text.count("\n") for text in written] == [3]


async def test_what_gathers_is_bounded() -> None:
    """A full log does not wait for its time."""
    written: list[str] = []
    log = RequestLog("payments", written.append)
    for _ in range(GATHERED_MAX):
        add(log)
    assert [text.count("\n") for text in written] == [GATHERED_MAX]


async def test_in_a_terminal_the_line_is_structlogs() -> None:
    """It goes the way of all other lines, and leaves out what is empty."""
    with capture_logs() as lines:
        add(RequestLog("payments", None), merchant_id="")
    (line,) = lines
    assert line == {
        "event": "request",
        "log_level": "info",
        "request_id": "request-1",
        "key_id": "0123456789abcdef",
        "address": "192.0.2.7",
        "method": METHOD,
        "code": "NOT_FOUND",
        "reason": "PAYMENT_NOT_FOUND",
        "duration_ms": 1.23,
        "payment_id": "pay_01m8542zavfj8rsw53v04cahtr",
    }


@pytest.mark.parametrize(
    ("address", "logged"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8::0:7", "2001:db8::7"),
        ("4929123412341234", ""),
        ('"} {"event": "forged', ""),
        ("unix", ""),
    ],
)
async def test_only_an_address_is_logged_as_one(address: str, logged: str) -> None:
    """Whoever reaches a worker without the edge could write anything there."""
    written: list[str] = []
    log = RequestLog("payments", written.append)
    add(log, address=address)
    log.flush()
    assert json.loads(written[0])["address"] == logged
