"""Places and periods in lists that are sorted by the order of commits."""

from datetime import UTC, datetime, timedelta

import pytest

from pkg.grpc.list_rows import page_of
from pkg.grpc.lists import ANY_TIME, BEGINNING, END, ListPosition, Page, Period
from pkg.ids import new_id

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def row(number: int, *, wanted: bool = True, last: bool = False) -> dict[str, object]:
    """Return what a list's statement says of a row."""
    return {"commit_order": number, "id": f"r{number}", "is_wanted": wanted, "is_last": last}


@pytest.mark.parametrize(
    ("rows", "page"),
    [
        ([], Page([], None, has_more=False)),
        ([row(1), row(2)], Page(["r1", "r2"], ListPosition(2, "r2"), has_more=False)),
        ([row(1), row(2), row(3)], Page(["r1", "r2"], ListPosition(2, "r2"), has_more=True)),
        ([row(1), row(2, last=True)], Page(["r1", "r2"], ListPosition(2, "r2"), has_more=True)),
        (
            [row(1), row(9, wanted=False, last=True)],
            Page(["r1"], ListPosition(9, "r9"), has_more=True),
        ),
        ([row(9, wanted=False, last=True)], Page([], ListPosition(9, "r9"), has_more=True)),
    ],
)
def test_a_page_ends_where_the_look_ended(rows: list[dict[str, object]], page: Page[str]) -> None:
    """One row too many says that there is more, and so does a look that was cut off."""
    assert page_of(rows, 2, lambda one: str(one["id"])) == page


def test_a_place_is_read_as_it_was_written() -> None:
    """Places survive a token, and sort by the commit first."""
    at = ListPosition
    places = [BEGINNING, at(0, "pay_1"), at(7, "pay_2"), at(7, "pay_3"), END]
    assert [ListPosition.parse(str(place)) for place in places] == places == sorted(places)


def test_the_ids_around_a_period_leave_room_for_slow_commits() -> None:
    """Ids that were made half a minute outside of it are inside; nothing is outside of any time."""
    first, last = Period(after=NOW, before=NOW).ids("pay")
    half, two = timedelta(seconds=30), timedelta(minutes=2)
    before, inside, after = (new_id("pay", NOW + by) for by in (-two, -half, two))
    assert before < first < inside < last < after
    first, last = ANY_TIME.ids("pay")
    assert first < new_id("pay", NOW.replace(year=1970)) < new_id("pay", NOW) < last


@pytest.mark.parametrize("year", [1, 9999])
def test_a_period_may_reach_to_the_end_of_time(year: int) -> None:
    """No bound is too far away."""
    bound = NOW.replace(year=year, month=1 + year // 9999 * 11, day=1)
    assert all(one.startswith("pay_") for one in Period(after=bound, before=bound).ids("pay"))
