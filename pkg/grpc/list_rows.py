"""What the statements of lists return, as pages and places."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from pkg.grpc.lists import BEGINNING, END, ListPosition, Page
from pkg.postgres.sql import Row

T = TypeVar("T")
R = TypeVar("R", bound=Row)


def page_of(rows: Sequence[R], size: int, item: Callable[[R], T]) -> Page[T]:
    """Fold what a list's statement returned: at most one row more than the page has.

    `is_wanted` tells whether a row is of the list; `is_last` whether the look was cut off after it.
    """
    wanted = [row for row in rows if row["is_wanted"]]
    is_full = len(wanted) > size
    is_cut = bool(rows) and rows[-1]["is_last"]
    ends = wanted[size - 1 : size] if is_full else rows[-1:]
    place = ListPosition(ends[0]["commit_order"], ends[0]["id"]) if ends else None
    return Page([item(row) for row in wanted[:size]], place, is_full or is_cut)


def places_of(row: Row | None) -> tuple[ListPosition, ListPosition]:
    """Return the places between which a period is, as its statement said; none means no bound."""
    assert row is not None  # it is there, whatever was found
    first, last = BEGINNING, END
    if row["after_id"] is not None:
        first = ListPosition(row["after_commit_order"], row["after_id"])
    if row["before_id"] is not None:
        last = ListPosition(row["before_commit_order"], row["before_id"])
    return first, last
