"""Checks of requests that services share: all violations at once, and no value repeated."""

import re
from collections.abc import Sequence

from pkg.errors import ValidationFailedError

TEXT_MAX_CHARACTERS = 255
PAGE_SIZE_MAX, PAGE_SIZE_DEFAULT = 100, 20

# Unicode's Cc: C0, DEL and C1. A NUL would not even fit into the database.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")


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

    def page_size(self, size: int) -> int:
        """Check the size of a page; 0 means the default."""
        if not 0 <= size <= PAGE_SIZE_MAX:
            self.add("page_size", f"must be from 1 to {PAGE_SIZE_MAX}")
        return size or PAGE_SIZE_DEFAULT

    def idempotency_key(self, keys: Sequence[str]) -> str | None:
        """Check the values of the `idempotency-key` header: one or none."""
        if not keys:
            return None
        if len(keys) > 1 or not _KEY.match(keys[0]):
            self.add("idempotency-key", "must be one key of 1 to 255 visible ASCII characters")
        return keys[0]
