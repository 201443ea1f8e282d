"""Checks of requests that services share: all violations at once, and no value repeated."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from pkg.errors import ValidationFailedError
from pkg.grpc.lists import Period

if TYPE_CHECKING:
    from google.protobuf.internal.enum_type_wrapper import _EnumTypeWrapper

E = TypeVar("E", bound=StrEnum)

TEXT_MAX_CHARACTERS = 255
PAGE_SIZE_MAX, PAGE_SIZE_DEFAULT = 100, 20

# Unicode's Cc: C0, DEL and C1. A NUL would not even fit into the database.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LAST_TIME = datetime.max.replace(tzinfo=UTC)
_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")


def one_of(names: Iterable[str]) -> str:
    """Return what is wrong with a value that has none of these names; of an enum 0 is not sent."""
    sent = (name for name in names if not name.endswith("_UNSPECIFIED"))
    return f"must be one of {', '.join(sent)}"


class Checks:
    """Collects what is wrong with one request, by the field's path."""

    def __init__(self) -> None:
        self.violations: dict[str, str] = {}

    def add(self, field: str, problem: str) -> None:
        """Remember the first problem of a field."""
        self.violations.setdefault(field, problem)

    def end(self) -> None:
        """Raise ValidationFailedError if anything was wrong."""
        if self.violations:
            raise ValidationFailedError(self.violations)

    def text(self, field: str, text: str) -> str:
        """Check a short text of the client's own: 255 characters, none of them for control."""
        if len(text) > TEXT_MAX_CHARACTERS:
            self.add(field, f"must have at most {TEXT_MAX_CHARACTERS} characters")
        elif _CONTROL.search(text):
            self.add(field, "must not hold control characters")
        return text

    def no_empty_filter(self, request: Message, *fields: str) -> None:
        """Refuse filters that are given and empty: who sends one does not want everything."""
        for field in fields:
            if request.HasField(field) and not getattr(request, field):
                self.add(field, "must not be empty: leave it out for any")

    def page_size(self, size: int) -> int:
        """Check the size of a page; 0 means the default."""
        if not 0 <= size <= PAGE_SIZE_MAX:
            self.add("page_size", f"must be from 1 to {PAGE_SIZE_MAX}")
        return size or PAGE_SIZE_DEFAULT

    def status(self, status: int, statuses: "_EnumTypeWrapper[Any]", known: type[E]) -> E | None:
        """Return which of ours a status is, by its name behind `STATUS_`; None if none is given."""
        if not status:
            return None
        try:
            return known(statuses.Name(status).removeprefix("STATUS_"))
        except ValueError:
            self.add("status", one_of(statuses.keys()))
            return None

    def duration(
        self, field: str, duration: Duration, least: timedelta, most: timedelta, says: str
    ) -> timedelta:
        """Check how long something is to be; `says` is between what it has to lie."""
        # Beyond this, seconds do not fit into a timedelta.
        sane = abs(duration.seconds) <= 10**9 and abs(duration.nanos) < 10**9
        found = duration.ToTimedelta() if sane else None
        if found is None or not least <= found <= most:
            self.add(field, f"must be from {says}")
            return least
        return found

    def time(self, field: str, timestamp: Timestamp) -> datetime | None:
        """Check a time from which on, or before which, something is wanted.

        Our times have microseconds. A finer bound lies between two of them, and the later one is
        the first that is beyond it.
        """
        try:
            time = timestamp.ToDatetime(tzinfo=UTC)
        except (ValueError, OverflowError):
            self.add(field, "must be a time of the years 1 to 9999")
            return None
        is_finer = timestamp.nanos % 1000 > 0
        return time + timedelta(microseconds=1) if is_finer and time < _LAST_TIME else time

    def period(self, request: Message) -> Period:
        """Check `created_after` and `created_before` of a request for a list."""
        after, before = (
            self.time(field, getattr(request, field)) if request.HasField(field) else None
            for field in ("created_after", "created_before")
        )
        return Period(after=after, before=before)

    def idempotency_key(self, keys: Sequence[str]) -> str | None:
        """Check the values of the `idempotency-key` header: one or none."""
        if not keys:
            return None
        if len(keys) > 1 or not _KEY.match(keys[0]):
            self.add("idempotency-key", "must be one key of 1 to 255 visible ASCII characters")
        return keys[0]
