"""The short form of `make bench`: that it runs, and that it refuses to report what went wrong."""

import asyncio
import os
import shutil
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import urllib3

from bench import bulk, http2, report
from bench.__main__ import parsed, run
from bench.driven import BrokenRunError, Driven, together
from bench.loads import Drive
from bench.measure import LoadCase
from bench.seed import fill_pools
from bench.server import serving
from bench.systems import System, paygate
from bench.tools import PACKAGES, as_they_were
from bench.workloads import WORKLOADS
from pkg.ids import is_id

needs_tools = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in PACKAGES),
    reason=f"needs Debian's {', '.join(PACKAGES.values())}",
)
LOADED = 400


@pytest.fixture(scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """One worker behind Envoy, with some payments."""
    async with serving() as server, paygate(server, name="one", workers=1, edge=True) as one:
        await fill_pools(one, tmp_path_factory.mktemp("seed"), size=4)
        await bulk.load(one, payments=LOADED)
        yield one


def case(system: System, workload: str, door: str, folder: Path) -> LoadCase:
    """Return a small load."""
    return LoadCase(
        drive=Drive(
            system=system,
            workload=WORKLOADS[workload],
            door=door,
            connections=4,
            folder=folder,
        )
    )


async def is_let_in_again(system: System) -> None:
    """Wait until the edge takes calls of this address: many wrong keys shut it out for seconds."""
    url = f"http://127.0.0.1:{system.doors['rest'][0]}/payments"
    answer = partial(urllib3.request, "GET", url, headers=system.headers, retries=False)
    async with asyncio.timeout(30):
        while (await asyncio.to_thread(answer)).status != 200:
            await asyncio.sleep(0.2)


@needs_tools
async def test_it_measures(tmp_path: Path) -> None:
    """The quick scene runs every tool, and its figures are possible."""
    facts: dict[str, object] = {}
    results = await run(parsed(["--quick"]), facts)
    assert "authorizations were committed in 1 s" in str(facts["writes"])
    assert len(results["quick"]) >= 4
    for name, figures in results["quick"].items():
        assert figures["rate"] > 50, name
        assert 0 < figures["p50"] <= figures["p99"] <= figures["p999"] < 5_000, name
        # No core does more than a second's work in a second.
        used = sum(figures["cpu"].values()) * figures["rate"] / 1e6
        assert used < 1.2 * (os.cpu_count() or 1), name
        assert figures["cpu"]["PostgreSQL"] > 0, name
    file = tmp_path / "bench.json"
    report.write(file, results, {})
    assert "1.00" in report.compare(file, file)


@needs_tools
@pytest.mark.parametrize(
    ("workload", "door"),
    [("authorize", "grpc"), ("authorize", "edge"), ("authorize", "rest"), ("read", "rest")],
)
async def test_calls_that_fail_are_no_throughput(
    system: System, workload: str, door: str, tmp_path: Path
) -> None:
    """A load that is refused is an error, whichever tool has driven it."""
    stranger = replace(system, headers={"authorization": "Bearer nobody"})
    with pytest.raises(BrokenRunError, match="calls failed"):
        await case(stranger, workload, door, tmp_path).run(1)


@needs_tools
async def test_replies_that_are_errors_are_seen_by_their_size(
    system: System, tmp_path: Path
) -> None:
    """h2load takes every gRPC reply for a success: the bytes tell."""
    drive = case(system, "replay", "grpc", tmp_path).drive
    (port,) = system.doors["grpc"]
    key, reply = await drive._first_call(port)
    assert not (await drive._h2load(port, 4, 1, key, reply)).failed
    stranger = replace(drive, system=replace(system, headers={}))
    driven = await stranger._h2load(port, 4, 1, key, reply)
    assert driven.failed == driven.well["REPLAY"] > 0


@needs_tools
@pytest.mark.parametrize("door", ["grpc", "rest"])
async def test_calls_without_an_effect_are_no_throughput(
    system: System, door: str, tmp_path: Path
) -> None:
    """A load whose actions are not in the database is an error."""
    await is_let_in_again(system)
    elsewhere = replace(system, merchant="mer_other")
    with pytest.raises(BrokenRunError, match="were done"):
        await case(elsewhere, "authorize", door, tmp_path).run(1)


async def test_loaded_payments_are_like_any_other(system: System, tmp_path: Path) -> None:
    """What was loaded adds up, belongs together, and can be read, captured and refunded."""
    rows = await system.fetch("SELECT * FROM payments WHERE reference IN ('open', 'captured')")
    assert len(rows) == LOADED + 8
    assert all(is_id("pay", row["id"]) and is_id("act", row["authorization_id"]) for row in rows)
    assert len({row["merchant_id"] for row in rows}) > 5
    actions = await system.fetch(
        """
        SELECT p.id, p.captured, p.last_sequence, count(*) AS actions, count(c.token) AS cards,
          coalesce(sum(a.minor_units) FILTER (WHERE a.type = 'CAPTURE'), 0) AS taken
        FROM payments p
        JOIN actions a ON a.merchant_id = p.merchant_id AND a.payment_id = p.id
        JOIN cards c ON c.merchant_id = p.merchant_id AND c.token = p.card_token
        JOIN outbox o ON o.merchant_id = p.merchant_id AND o.payment_id = p.id
          AND o.sequence = a.sequence * 2
        GROUP BY p.merchant_id, p.id
        """
    )
    loaded = [row for row in actions if row["id"] in {row["id"] for row in rows}]
    assert len(loaded) == LOADED + 8
    assert all(row["captured"] == row["taken"] for row in loaded)
    for workload in ("read", "capture", "refund"):
        await case(system, workload, "grpc", tmp_path).run(0.5)


def test_frames_are_read_whatever_their_pieces() -> None:
    """A frame that has not arrived whole is left for later."""
    whole = http2.frame(http2.HEADERS, http2.END_STREAM, 1, b"\x0bgrpc-status\x010")
    assert list(http2.frames(whole[:-1])) == []
    ((kind, flags, payload, end),) = http2.frames(whole + whole[:5])
    assert (kind, flags, end) == (http2.HEADERS, http2.END_STREAM, len(whole))
    assert http2.went_well(payload)
    assert not http2.went_well(b"\x0bgrpc-status\x0216")


def test_what_wrk_adds_is_taken_out() -> None:
    """Ten calls of 10 µs were expected each 10 µs; one took 45: wrk adds 35, 25 and 15."""
    seen = Counter({10: 9, 45: 1})
    corrected = seen + Counter({35: 1, 25: 1, 15: 1})
    assert as_they_were(corrected, expected=10) == seen


def test_percentiles_of_loads_that_ran_together() -> None:
    """The time of the last of the fastest hundredths, over all loads."""
    one = Driven(rate=5, times=Counter({1_000: 98}), well=Counter(READ=98))
    two = Driven(rate=2, times=Counter({7_000: 1, 9_000: 1}), well=Counter(READ=2))
    both = together([one, two])
    assert both.rate == 7
    assert both.well["READ"] == both.calls == 100
    assert both.percentiles(50, 98, 99, 99.9) == [1.0, 1.0, 7.0, 9.0]
