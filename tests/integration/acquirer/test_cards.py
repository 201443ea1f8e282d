"""The test cards over gRPC: what each of them makes the bank do."""

from collections.abc import Awaitable, Callable

import pytest

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from tests.integration.acquirer.line import (
    APPROVED,
    NOT_FOUND,
    OUTAGE_SECONDS,
    REVERSED,
    SLOW_CARD,
    SLOW_SECONDS,
    Line,
    unreachable,
)


async def test_the_story_of_a_payment(line: Line) -> None:
    """Authorize, capture in parts, refund: each approved, and found again by its reference."""
    for outcome, reference in (
        (await line.authorize(), "auth"),
        (await line.capture(), "capture"),
        (await line.capture(600, reference="the rest"), "the rest"),
        (await line.refund(), "refund"),
    ):
        assert (outcome.status, outcome.decline_code) == (APPROVED, "")
        assert outcome.approval_code
        assert await line.inquire(reference) == outcome
    assert (await line.capture(1, reference="more")).decline_code == "CAPTURE_REJECTED"
    assert (await line.void()).decline_code == "VOID_REJECTED"
    assert (await line.inquire("nothing")).status == NOT_FOUND


@pytest.mark.parametrize(
    ("pan", "reasons"),
    [
        ("4000000000009995", {"authorize": "INSUFFICIENT_FUNDS"}),
        ("4000000000001083", {"authorize": "ISSUER_UNAVAILABLE"}),
        ("4000000000000259", {"capture": "CAPTURE_REJECTED"}),
        ("4000000000003238", {"refund": "REFUND_REJECTED"}),
        ("4000000000001067", {"void": "VOID_REJECTED"}),
    ],
)
async def test_refusing_cards(line: Line, pan: str, reasons: dict[str, str]) -> None:
    """Such a card refuses its verb, however often it is asked, and no other."""
    outcome = await line.authorize(pan)
    assert outcome.decline_code == reasons.get("authorize", "")
    if "authorize" in reasons:
        assert await line.authorize(pan) == outcome
        return
    if "void" in reasons:
        assert (await line.void()).decline_code == reasons["void"]
    assert (await line.capture()).decline_code == reasons.get("capture", "")
    if "refund" in reasons:
        assert (await line.refund()).decline_code == reasons["refund"]


async def test_an_authorization_that_never_arrives(line: Line) -> None:
    """Its reference is in doubt for a while, then the bank knows nothing of it."""
    pan = "4000000000001018"
    await unreachable(line.authorize(pan))
    await unreachable(line.inquire("auth"))
    line.time.now += OUTAGE_SECONDS
    assert (await line.inquire("auth")).status == NOT_FOUND
    assert (await line.reverse()).status == REVERSED
    assert (await line.authorize(pan)).status == REVERSED


async def test_a_reversal_gets_through_an_outage(line: Line) -> None:
    """It is the caller's way out of doubt, so it always works."""
    await unreachable(line.authorize("4000000000001018"))
    assert (await line.reverse()).status == REVERSED
    await unreachable(line.inquire("auth"))
    line.time.now += OUTAGE_SECONDS
    assert (await line.inquire("auth")).status == REVERSED


async def test_an_authorization_whose_reply_is_lost(line: Line) -> None:
    """It is done, which can be found out once the reference is no longer in doubt."""
    pan = "4000000000001026"
    await unreachable(line.authorize(pan))
    await unreachable(line.authorize(pan))
    line.time.now += OUTAGE_SECONDS
    assert (await line.inquire("auth")).status == APPROVED
    assert (await line.authorize(pan)).status == APPROVED
    assert (await line.capture(1000)).status == APPROVED


async def test_a_capture_that_never_arrives(line: Line) -> None:
    """Sent again after its outage it goes through."""
    await line.authorize("4000000000001042")
    await unreachable(line.capture())
    await unreachable(line.capture())
    line.time.now += OUTAGE_SECONDS
    assert (await line.inquire("capture")).status == NOT_FOUND
    assert (await line.capture()).status == APPROVED
    assert (await line.inquire("capture")).status == APPROVED


@pytest.mark.parametrize(
    ("pan", "captured_before", "reference", "send"),
    [
        ("4000000000001034", False, "capture", Line.capture),
        ("4000000000001059", True, "refund", Line.refund),
        ("4000000000001091", False, "void", Line.void),
    ],
)
async def test_an_operation_whose_reply_is_lost(
    line: Line,
    pan: str,
    captured_before: bool,
    reference: str,
    send: Callable[[Line], Awaitable[pb.Outcome]],
) -> None:
    """It is done once, whatever the caller sends during the outage and after it."""
    await line.authorize(pan)
    if captured_before:
        assert (await line.capture()).status == APPROVED
    await unreachable(send(line))
    await unreachable(line.inquire(reference))
    await unreachable(send(line))
    line.time.now += OUTAGE_SECONDS
    outcome = await line.inquire(reference)
    assert outcome.status == APPROVED
    assert await send(line) == outcome


async def test_the_slow_card(line: Line) -> None:
    """Every operation takes its time and succeeds; looking it up and undoing it do not."""
    assert (await line.authorize(SLOW_CARD)).status == APPROVED
    assert (await line.capture()).status == APPROVED
    assert (await line.refund()).status == APPROVED
    assert (await line.inquire("auth")).status == APPROVED
    assert (await line.reverse()).status == REVERSED
    assert line.time.slept == [SLOW_SECONDS] * 3
