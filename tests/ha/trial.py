"""The trial: faults one after the other under load, and what is in the books in the end."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.ha.faults import Act, Plan
from tests.ha.load import Told, load
from tests.ha.report import Report, Row
from tests.ha.rig import URLS, Rig, running

START_SECONDS_MAX, STEP_SECONDS_MAX = 180.0, 90.0
# So many writes are acknowledged before a fault, and after it, as long as it lasts.
BEFORE, AFTER = 10, 20
POLL_SECONDS = 0.1


async def tried_out(plan: Plan, logs: Path) -> Report:
    """Run all of it; what goes wrong on the way is in the report."""
    report = Report()
    async with running(logs) as rig:
        report.started()
        async with load(URLS, rig.api_key) as told:
            try:
                for name, act in plan.acts():
                    report.add(await _one(name, act, rig, told))
            except LateError as problem:
                report.problems.append(str(problem))
        await _books(rig, told, report)
    return report


class LateError(Exception):
    """Something took so long that there is no use in going on."""


@asynccontextmanager
async def _in_time(what: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(STEP_SECONDS_MAX):
            yield
    except TimeoutError:
        raise LateError(f"{what}: not within {STEP_SECONDS_MAX:.0f} s") from None


async def _one(name: str, act: Act, rig: Rig, told: Told) -> Row:
    """Do one thing to the machines, and return what it kept away, and for how long."""
    async with _in_time(f"before {name}, all machines are whole"):
        leader = await rig.whole()
        await told.more(BEFORE)
    began = time.monotonic()
    fault = act(rig, leader)
    try:
        async with _in_time(f"{name} on {fault.victim}, writes go on"):
            await fault.over()
            await told.more(AFTER)
        gap = told.gap(began)
        async with _in_time(f"{name} on {fault.victim}, all is settled"):
            await _settled(rig)
        settled = time.monotonic() - gap.ended
    finally:
        fault.heal()
    return Row(name, fault.victim, gap.seconds, fault.gap_seconds_max, settled)


async def _settled(rig: Rig) -> None:
    """Wait until whatever was PENDING has an end; what shops begin meanwhile does not count."""
    of_before = set(await rig.pending())
    while of_before:
        await asyncio.sleep(POLL_SECONDS)
        of_before &= set(await rig.pending())


async def _books(rig: Rig, told: Told, report: Report) -> None:
    """Compare what shops were told with our book, and that with the bank's."""
    report.acknowledged, report.ends = len(told.acknowledged), dict(told.ends)
    report.problems += told.unexpected
    try:
        await rig.books.settled()
    except TimeoutError:
        report.problems.append("actions are PENDING for ever")
    rows = await rig.books.payments.fetch("SELECT id, status FROM actions")
    kept = {row["id"]: row["status"] for row in rows}
    lost = [
        one
        for one, status in told.actions.items()
        if kept.get(one) != status.removeprefix("STATUS_")
    ]
    report.lost = len(lost)
    twice = await rig.books.payments.fetch(PAID_TWICE)
    report.double = len(twice) + sum(len(payments) > 1 for payments in told.orders.values())
    try:
        await rig.books.assert_agree()
    except AssertionError as problem:
        report.problems.append(f"the books do not agree: {str(problem)[:500]}")
    report.ended()


PAID_TWICE = """
SELECT reference FROM payments GROUP BY reference HAVING count(*) > 1
UNION ALL
SELECT payment_id FROM actions WHERE status = 'SUCCEEDED'
GROUP BY payment_id, type HAVING count(*) > 1
"""
