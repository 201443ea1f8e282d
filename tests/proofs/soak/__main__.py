"""`python -m tests.proofs.soak`: the whole stack under a low load for hours. Does anything grow?"""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from tests.chaos.books import Books
from tests.chaos.test_storm import database_url
from tests.e2e.stack import Stack, new_data_dir
from tests.proofs import record, skew
from tests.proofs.hosts import SkewedStack
from tests.proofs.soak import judging
from tests.proofs.soak.load import GUEST_LIFE, Load, listening
from tests.proofs.soak.receiver import receiving
from tests.proofs.soak.sampling import Sampler, Samples

WARM = 0.25  # of a run; in that time what is bounded gets full
MERCHANT, AGREE = "mer_demo", "agree"
SETTLED_SECONDS_MAX = GUEST_LIFE.total_seconds() + 90.0
# So short that what they bound is seen to be bounded, with the clock's turns by a day.
RETENTION = {
    "PAYGATE_IDEMPOTENCY_KEY_LIFETIME_SECONDS": "300",
    "PAYGATE_AUTHORIZATION_LIFETIME_SECONDS": str(2 * 24 * 3600),
    "PAYGATE_CARD_RETENTION_DAYS": "1",
    "PAYGATE_EVENT_RETENTION_DAYS": "1",
}


async def soak(minutes: float, rate: float) -> dict[str, Any]:
    """Soak a stack, and return what was found."""
    async with AsyncExitStack() as ends:
        stack = SkewedStack(environment=RETENTION, data_dir=new_data_dir())
        ends.callback(stack.close)
        await asyncio.to_thread(stack.start)
        receiver = await ends.enter_async_context(receiving())
        listener = await ends.enter_async_context(listening(stack, receiver))
        load = Load(stack, receiver, rate)
        ends.push_async_callback(load.aclose)
        sampler = Sampler(stack, {"listen": listener})
        sampling = asyncio.create_task(sampler.run())
        try:
            await load.run(minutes * 60)
        finally:
            sampling.cancel()
            await asyncio.gather(sampling, return_exceptions=True)
        try:
            kept = await _kept(stack, load.keeper.payments)
        except (AssertionError, TimeoutError) as problem:  # what was sampled is worth keeping
            kept = {"books": f"{type(problem).__name__}: {problem}"}
        said = stack.output
    return _found(load, sampler.samples, kept, minutes, said) | {"posted": receiver.posted}


async def _kept(stack: Stack, acknowledged: int) -> dict[str, Any]:
    """Compare what is there in the end with what was acknowledged, and ours with the bank's."""
    async with (
        asyncpg.create_pool(database_url(stack, "payments"), min_size=1) as payments,
        asyncpg.create_pool(database_url(stack, "acquirer"), min_size=1) as bank,
    ):
        async with asyncio.timeout(SETTLED_SECONDS_MAX):
            while await payments.fetchval(_OF_GUESTS, MERCHANT):
                await asyncio.sleep(0.5)  # what they had is removed by the sweep
        books = Books(payments, bank)
        await books.settled()
        await books.assert_agree(with_events=False)
        there = await payments.fetchval("SELECT count(*) FROM payments")
    lost = acknowledged - there
    said = f"of {acknowledged} acknowledged payments {lost} are missing" if lost else AGREE
    return {"payments": there, "books": said}


_OF_GUESTS = """
SELECT (SELECT count(*) FROM payments WHERE merchant_id <> $1)
  + (SELECT count(*) FROM bank_leftovers) + (SELECT count(*) FROM sandboxes)
"""


def _found(
    load: Load, samples: Samples, kept: Mapping[str, Any], minutes: float, said: str
) -> dict[str, Any]:
    warm = minutes * 60 * WARM
    trends = judging.parts(samples.parts, warm_seconds=warm)
    trends += judging.tables(samples.tables, warm_seconds=warm)
    found: dict[str, Any] = {
        "minutes": minutes,
        "calls": sum(load.told.values()),
        "answers": dict(load.told),
        "stories": load.stories,
        "sandboxes": load.guests,
        "events_watched": load.watched,
        "clock_turns": load.turns,
        "errors": load.errors_count,
        "error_texts": load.errors,
        "restarted": judging.restarted(samples.pids),
        "skew_seconds": skew.SECONDS if skew.is_wanted() else 0,
        **kept,
        "grown": [one.what for one in trends if not one.ok],
        "trends": [asdict(one) | {"growth": round(one.growth, 4)} for one in trends],
        "said": [line for line in said.splitlines() if line.strip().startswith("!")],
        "samples": samples.as_json(),
    }
    return found


def is_sound(found: Mapping[str, Any]) -> bool:
    """Say whether nothing grew, nothing failed and nothing is missing."""
    wrong = found["grown"] or found["errors"] or found["restarted"]
    return found["books"] == AGREE and not wrong


def main() -> int:
    """Do it; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.proofs.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--rate", type=float, default=20.0, help="calls a second, about")
    parser.add_argument("--samples", type=Path, help="where to write all samples, as JSON")
    arguments = parser.parse_args()
    began = datetime.now(UTC)
    found = asyncio.run(soak(arguments.minutes, arguments.rate))
    samples = found.pop("samples")
    if arguments.samples:
        arguments.samples.write_text(json.dumps(samples))
    sound = is_sound(found)
    print(record.write("soak", found, began=began, ok=sound))
    print(json.dumps({name: found[name] for name in found if name != "trends"}, indent=1))
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
