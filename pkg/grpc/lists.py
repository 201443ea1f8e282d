"""Lists that are sorted by the order of commits: places, pages, and periods of time in them.

See `commit_order_end` in the gateway's migrations: no row appears before a place that was listed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Self, TypeVar

from pkg.ids import after_all_ids, lowest_id

# How many rows a page looks at, whatever it finds: one whose filters few rows pass is shorter than
# asked for, and has a token to go on by.
LOOKED_AT_MAX = 1_000

_BEFORE_ALL_TIMES, _AFTER_ALL_TIMES = (datetime(year, 1, 1, tzinfo=UTC) for year in (1, 9999))
# From the time that stands in a row's id to the commit of the row, and from host to host.
_APART_MAX = timedelta(minutes=1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class ListPosition:
    """Where a row stands in the order of commits; rows of one commit are sorted by their ids."""

    commit_order: int
    id: str

    def __str__(self) -> str:
        """Return what a token holds of it."""
        return f"{self.commit_order}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the place that `str` made the text of."""
        commit_order, _, row_id = text.partition(".")
        return cls(int(commit_order), row_id)


BEGINNING, END = ListPosition(-1, ""), ListPosition(2**63 - 1, "")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list; `place` is of the last row that was looked at, None if there was none."""

    items: Sequence[T]
    place: ListPosition | None
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """When the rows of a list were made: from `after` on and before `before`, None for any time."""

    after: datetime | None = None
    before: datetime | None = None

    @property
    def is_bounded(self) -> bool:
        """Whether a row may be outside of it."""
        return self.after is not None or self.before is not None

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """Return both times, open ones as times that no row is made at."""
        return self.after or _BEFORE_ALL_TIMES, self.before or _AFTER_ALL_TIMES

    @property
    def names(self) -> tuple[str, str]:
        """Return both times as a token's scope names them."""
        after, before = (
            "" if time is None else time.isoformat() for time in (self.after, self.before)
        )
        return after, before

    def ids(self, prefix: str) -> tuple[str, str]:
        """Return ids so far outside that rows with earlier, or later, ones are outside as well.

        Rows of the period were committed after those with ids below the first, and before those
        with the second or a later one.
        """
        first = lowest_id(prefix, _moved(self.after, -_APART_MAX)) if self.after else prefix
        if self.before is None:
            return first, after_all_ids(prefix)
        return first, lowest_id(prefix, _moved(self.before, _APART_MAX))


ANY_TIME = Period()


def _moved(time: datetime, by: timedelta) -> datetime:
    try:
        return time + by
    except OverflowError:
        return time
