"""What proves: it has to see what is wrong, for most of the time nothing is."""

import sys
from datetime import UTC, datetime, timedelta
from types import ModuleType

import pytest

from tests.proofs import render
from tests.proofs.skew import Clock
from tests.proofs.soak.judging import KEPT, parts, restarted, tables

MEGABYTE = 1 << 20


def taken(minute: int, memory: float, *, descriptors: int = 40) -> dict[str, object]:
    """Return a sample of one process."""
    return {
        "seconds": 60.0 * minute,
        "sweep": {"memory": memory * MEGABYTE, "descriptors": descriptors, "threads": 12},
    }


def test_memory_that_grows_slowly_is_found() -> None:
    """Six per cent in the time that counts are too much; what grew before it was warm is not."""
    grows = [taken(minute, 100 + minute * 0.08) for minute in range(120)]
    warm = [taken(minute, min(60 + minute, 80)) for minute in range(120)]
    assert [one.what for one in parts(grows, warm_seconds=1_800) if not one.ok] == ["sweep memory"]
    assert all(one.ok for one in parts(warm, warm_seconds=1_800))


def test_a_descriptor_lost_every_half_hour_is_found() -> None:
    """Three or four more than there were are a leak; one that comes and goes is not."""
    leaks = [taken(minute, 60, descriptors=40 + minute // 15) for minute in range(120)]
    changes = [taken(minute, 60, descriptors=40 + minute % 2) for minute in range(120)]
    found = [one.what for one in parts(leaks, warm_seconds=1_800) if not one.ok]
    assert found == ["sweep descriptors"]
    assert all(one.ok for one in parts(changes, warm_seconds=1_800))


def test_a_table_that_only_grows_is_found_unless_it_is_kept() -> None:
    """A saw that is cut again and again is bounded."""
    kept = min(KEPT)
    samples = [
        {
            "seconds": 60.0 * minute,
            "grows": {"rows": 100 * minute, "bytes": 0},
            "saw": {"rows": 1_000 * (minute % 5), "bytes": 0},
            kept: {"rows": 100 * minute, "bytes": 0},
        }
        for minute in range(120)
    ]
    found = [one.what for one in tables(samples, warm_seconds=1_800) if not one.ok]
    assert found == ["grows rows"]


def test_who_was_started_anew_is_named() -> None:
    """A process that leaks and dies in time has not lived through it."""
    assert restarted({"sweep": {1}, "relay": {2, 3}}) == ["relay"]


@pytest.mark.parametrize("seconds", [2, -2])
def test_another_hosts_clock_is_off(seconds: int) -> None:
    """A module goes by it, however it asks; what comes from elsewhere is still a datetime."""
    module = ModuleType("ours")
    exec(  # noqa: S102  # as a module is
        "import time\nfrom datetime import UTC, datetime\nfrom time import time_ns\n"
        "def asked(): return datetime.now(UTC), time.time(), time_ns() / 1e9\n",
        vars(module),
    )
    Clock(seconds).put_into(module)
    by_datetime, by_time, by_nanoseconds = module.asked()
    now = datetime.now(UTC)
    assert abs(by_datetime - now - timedelta(seconds=seconds)) < timedelta(seconds=0.5)
    assert by_time == pytest.approx(now.timestamp() + seconds, abs=0.5)
    assert by_nanoseconds == pytest.approx(now.timestamp() + seconds, abs=0.5)
    assert isinstance(now, module.datetime)
    assert sys.modules["time"].time() == pytest.approx(now.timestamp(), abs=0.5)


def test_a_result_goes_into_its_row_alone() -> None:
    """A proof that has failed says so on the page."""
    page = "| `make proof-kills` | none | – |\n| `make proof-relays` | old | – |"
    result = {
        "proof": "kills",
        "ok": True,
        "date": "2026-11-29",
        "minutes": 21.2,
        "commit": "abc",
        "figures": {"killed": 1000, "acknowledged": 200_001},
    }
    first, second = render.rendered(page, {"kills": result}).split("\n")
    assert "1,000 of 1,000 kills, 200,001 of 200,000" in first
    assert second == "| `make proof-relays` | old | – |"
    failed = {**result, "ok": False, "figures": {"failure": "a | b"}}
    assert "**Failed.** a / b" in render.rendered(page, {"kills": failed})
