"""Rules and a bank that dies, and two banks on one database."""

import asyncio
import signal
from collections import Counter
from pathlib import Path

import pytest

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from tests.integration.acquirer.ruled import DECLINE, LOSE_REQUEST, Ruled
from tests.integration.acquirer.test_process import bank

REFERENCES = [f"act_{number}" for number in range(64)]


@pytest.mark.parametrize("effect", [DECLINE, LOSE_REQUEST])
async def test_a_bank_that_is_killed_counts_right(
    acquirer_database_url: str, tmp_path: Path, effect: pb.Rule.Effect.ValueType
) -> None:
    """Killed between two of 64 answers: sent again, the rule is used for 20 of them in all."""
    log = tmp_path / "log"
    async with bank(acquirer_database_url, log) as before:
        ruled = Ruled(before.line)
        await ruled.rule(effect, times=20)
        await ruled.authorize("act_0")
        calls = [asyncio.create_task(ruled.authorize(one)) for one in REFERENCES]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        await before.ended(signal.SIGKILL)
        await asyncio.gather(*calls)
    async with bank(acquirer_database_url, log, ACQUIRER_OUTAGE_SECONDS="3600") as after:
        ruled = Ruled(after.line)
        again = Counter(await ruled.authorize_all(REFERENCES))
        assert await ruled.hits() == [20]
        if effect == DECLINE:
            assert again == {"LOST_CARD": 20, "APPROVED": 44}
            return
        # What was lost before the end goes through now; each of the others is lost here.
        assert again["APPROVED"] + again["UNAVAILABLE"] == 64
        assert again["UNAVAILABLE"] < 20


async def test_banks_on_one_database_have_the_same_rules(
    acquirer_database_url: str, tmp_path: Path
) -> None:
    """Whatever was made or removed at one counts at the other, from the next operation on."""
    async with (
        bank(acquirer_database_url, tmp_path / "one") as one,
        bank(acquirer_database_url, tmp_path / "other") as other,
    ):
        here, there = Ruled(one.line), Ruled(other.line)
        assert await there.authorize("auth") == "APPROVED"
        rule = await here.rule(DECLINE)
        assert await there.authorize("a1") == "LOST_CARD"
        assert await there.operate("capture", "c1") == "LOST_CARD"
        await here.delete(rule)
        assert await there.operate("capture", "c2") == "APPROVED"
        assert await there.authorize("a2") == "APPROVED"
        await here.rule(DECLINE, times=5)
        words = await asyncio.gather(
            *((here, there)[number % 2].authorize(f"b{number}") for number in range(32))
        )
        assert Counter(words) == {"LOST_CARD": 5, "APPROVED": 27}
        await there.line.stub.Forget(pb.ForgetRequest(merchant_id="mer_a"))
        assert await here.authorize("a3") == "APPROVED"
