"""Ids: TypeIDs over UUIDv7."""

from datetime import UTC, datetime, timedelta

import pytest

from pkg.ids import after_all_ids, is_id, lowest_id, new_id

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_ids_sort_by_the_time_they_were_made() -> None:
    """An id of a later millisecond sorts after one of an earlier; all are well-formed."""
    ids = [new_id("pay", NOW + timedelta(milliseconds=n)) for n in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 1000
    assert all(is_id("pay", text) for text in ids)


def test_ids_of_one_millisecond_sort_as_they_were_made() -> None:
    """Within a process each id sorts after the one before, and none can be told from it."""
    ids = [new_id("pay", NOW + timedelta(days=1)) for _ in range(5_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 5_000
    assert all(is_id("pay", text) for text in ids)
    assert len({text[-6:] for text in ids}) > 4_990


def test_a_time_that_is_used_late_makes_a_later_id() -> None:
    """Two requests read the clock in one order and make their ids in the other."""
    later = new_id("pay", NOW + timedelta(days=2, milliseconds=5))
    assert new_id("act", NOW + timedelta(days=2)).removeprefix("act") > later.removeprefix("pay")


def test_a_clock_that_goes_back_is_believed() -> None:
    """An id carries its own time, a second before the last one's or more."""
    moment = NOW + timedelta(days=3)
    new_id("pay", moment + timedelta(seconds=2))
    found = new_id("pay", moment)
    assert lowest_id("pay", moment) < found < lowest_id("pay", moment + timedelta(milliseconds=1))


def test_the_lowest_id_is_a_bound() -> None:
    """Ids of that millisecond or later sort after it, earlier ones before it."""
    moment = NOW + timedelta(days=4)
    bound = lowest_id("pay", moment)
    assert new_id("pay", moment - timedelta(milliseconds=1)) < bound
    assert new_id("pay", moment) > bound


@pytest.mark.parametrize("year", [1, 1969, 9999])
def test_the_lowest_id_of_any_time_is_one(year: int) -> None:
    """A bound long before ids began, or far ahead, is an id and keeps its place."""
    moment = NOW.replace(year=year)
    bound = lowest_id("pay", moment)
    assert is_id("pay", bound)
    assert (new_id("pay", NOW) > bound) is (moment < NOW)


def test_no_id_is_after_all() -> None:
    """Not the highest that there can be."""
    highest = "pay_7zzzzzzzzzzzzzzzzzzzzzzzzz"
    assert is_id("pay", highest)
    assert highest < after_all_ids("pay")
    assert not is_id("pay", after_all_ids("pay").ljust(len(highest), "0"))


def test_the_format_is_typeid() -> None:
    """The published example of the TypeID specification: a UUIDv7 in base 32."""
    # 01890a5d-ac96-774b-bcce-b302099a8057 is 01h455vb4pex5vsknk084sn02q; ours of that millisecond
    # shares what the time makes of it: 48 bits in the first ten characters.
    moment = datetime.fromtimestamp(0x01890A5DAC96 / 1000, UTC)
    assert new_id("prefix", moment).startswith("prefix_01h455vb4p")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pay_",
        "act_01h455vb4pex5vsknk084sn02q",
        "pay_01h455vb4pex5vsknk084sn02",
        "pay_81h455vb4pex5vsknk084sn02q",
        "pay_01h455vb4pex5vsknk084sn02u",
        "PAY_01H455VB4PEX5VSKNK084SN02Q",
        "pay_01h455vb4pex5vsknk084sn02q\n",
        "pay_01h455vb4pex5vsknk084sn0\x00q",
    ],
)
def test_what_is_no_id(text: str) -> None:
    """Other prefixes, lengths, letters and overflow are no ids."""
    assert not is_id("pay", text)
