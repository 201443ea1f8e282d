"""Four times as many calls as can be carried out: as many as ever are, and the rest is told so."""

import asyncio
import base64
import json
import os
import sys
from array import array
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from bench.driver import Counted, Load, Operation
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from tests.chaos.rig import CARD, SECRETS, Rig, gbp
from tests.keys import new_key
from tests.proofs import record, scale
from tests.proofs.skew import OF_A_RIG
from tools.stack.postgres import Embedded
from tools.stack.settings import REPOSITORY

pytestmark = [pytest.mark.alone, scale.LONG]

TIMES_CAPACITY = 4
MERCHANTS = 4
SECONDS = 20.0 if scale.IS_FULL else 5.0
WARM_SECONDS = 3.0
# Of all merchants: for a flood as many as it needs.
CONNECTIONS = 1_200
GOODPUT_MIN, REFUSAL_SECONDS_MAX = 0.9, 0.050
BACK_MIN = 0.7  # as soon as there is less to do
# The gateway has one core and who calls it the other: what a flood costs its senders is theirs.
OURS, THEIRS = {0}, {1}


@dataclass(frozen=True)
class Scene:
    """What there is too little of, by a card, and how many calls at once make the most of it."""

    name: str
    card: pb.CardDetails
    at_once: int


# A bank that takes two seconds for each: the worker's places are what there is too little of.
PLACES = Scene("places", pb.CardDetails(pan="4000000000001075", expiry=CARD.expiry, cvv="123"), 200)
# A bank that answers at once: the processor's time is.
PROCESSOR = Scene("processor", CARD, 128)


@dataclass(frozen=True)
class Driven:
    """What was answered, by all drivers together. Times are in µs, in order."""

    rate: float
    well: int
    refused: int
    times: "array[int]"
    refusal_times: "array[int]"


@dataclass(frozen=True)
class Calls:
    """Where calls go, with whose keys they come, and where their times are kept."""

    port: int
    keys: Sequence[str]
    folder: Path


async def driven(
    calls: Calls, scene: Scene, *, seconds: float, at_once: int = 0, rate: float = 0.0
) -> Driven:
    """Send new payments of several merchants; at a rate, whatever becomes of them, if it is not 0.

    Args:
        calls: From whom, and where to.
        scene: Says which card.
        seconds: For how long.
        at_once: Connections of all together, each for one call at a time; as the scene says if 0.
        rate: Calls a second of all together.
    """
    keys, folder = calls.keys, calls.folder
    request = service.AuthorizeRequest(card_details=scene.card, amount=gbp(1000))
    body = base64.b64encode(request.SerializeToString()).decode()
    path = "/paygate.payments.v1.PaymentService/Authorize"
    loads = [
        Load(
            port=calls.port,
            connections=(at_once or scene.at_once) // len(keys),
            headers={"authorization": f"Bearer {key}"},
            operations=[Operation(name="authorize", path=path, bodies=[body])],
            times=str(folder / f"times-{number}"),
            failed_times=str(folder / f"refused-{number}"),
            seconds=seconds,
            rate=rate / len(keys),
        )
        for number, key in enumerate(keys)
    ]
    counts = await asyncio.gather(*map(_drive, loads))
    return Driven(
        sum(sum(count.well.values()) for count in counts) / max(count.seconds for count in counts),
        well=sum(sum(count.well.values()) for count in counts),
        refused=sum(count.failed for count in counts),
        times=_in_order([load.times for load in loads]),
        refusal_times=_in_order([load.failed_times for load in loads]),
    )


def _in_order(files: Sequence[str]) -> "array[int]":
    times = array("I")
    for file in files:
        times.frombytes(Path(file).read_bytes())
    return array("I", sorted(times))


async def _drive(load: Load) -> Counted:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.driver"),
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    psutil.Process(process.pid).cpu_affinity([*THEIRS])
    said, _ = await process.communicate(json.dumps(asdict(load)).encode())
    return Counted(**json.loads(said))


def keep_to(cores: set[int], pids: Sequence[int]) -> None:
    """Let processes, with those that they have started, run on these cores alone."""
    for pid in pids:
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            for thread in one.threads():
                os.sched_setaffinity(thread.id, cores)


def share(times: "array[int]", percent: float) -> float:
    """Return the milliseconds that so many calls of a hundred did not exceed."""
    return times[min(len(times) - 1, int(len(times) * percent / 100))] / 1000 if times else 0.0


async def flooded(calls: Calls, scene: Scene) -> dict[str, float]:
    """Find out how much can be done, ask for four times that, and return what came of it."""
    await driven(calls, scene, seconds=WARM_SECONDS)
    before = await driven(calls, scene, seconds=SECONDS)
    flood = TIMES_CAPACITY * before.rate
    during = await driven(calls, scene, seconds=SECONDS, at_once=CONNECTIONS, rate=flood)
    after = await driven(calls, scene, seconds=SECONDS / 2)
    return {
        "peak_rate": round(before.rate),
        "offered_rate": round(flood),
        "goodput": round(during.rate),
        "goodput_share": round(during.rate / before.rate, 3),
        "refused": during.refused,
        "refusal_p99_ms": round(share(during.refusal_times, 99), 1),
        "call_p99_ms": round(share(during.times, 99), 1),
        "rate_afterwards": round(after.rate),
    }


async def test_four_times_the_capacity(
    postgres: Embedded, payments_database_url: str, acquirer_database_url: str, tmp_path: Path
) -> None:
    """In an open loop goodput stays, refusals are quick, and the books agree in the end.

    Where the processor is the bottleneck that is measured, and not so yet: refusing costs time too.
    """
    began = datetime.now(UTC)
    urls = (payments_database_url, acquirer_database_url)
    rig = Rig(*urls, workers_count=1, ahead_seconds=(OF_A_RIG[0], *OF_A_RIG[2:]))
    rig.environment |= {"PAYGATE_IN_FLIGHT_MAX": "256", "PAYGATE_HASTY_LEASE_SECONDS": "8"}
    async with rig:
        pepper = SECRETS["PAYGATE_KEY_PEPPER"]
        keys = [await new_key(urls[0], f"mer_{one}", pepper=pepper) for one in range(MERCHANTS)]
        database = int((postgres.data / "postmaster.pid").read_text().split("\n", 1)[0])
        gateway = [one.running.pid for one in (rig.bank, rig.sweep, *rig.workers) if one.running]
        if len(os.sched_getaffinity(0)) > 1:
            keep_to(OURS, [database, *gateway])
        calls = Calls(rig.workers[0].port, keys, tmp_path)
        with record.outcome("overload", began) as figures:
            for scene in (PLACES, PROCESSOR):
                figures[scene.name] = await flooded(calls, scene)
                await rig.settled()
                await rig.assert_books_agree()
            places = figures[PLACES.name]
            assert places["refused"] > places["peak_rate"] * SECONDS, figures
            assert places["refusal_p99_ms"] <= REFUSAL_SECONDS_MAX * 1000, figures
            assert places["goodput_share"] >= GOODPUT_MIN, figures
            processor = figures[PROCESSOR.name]
            assert processor["rate_afterwards"] >= BACK_MIN * processor["peak_rate"], figures
