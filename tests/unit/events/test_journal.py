"""What the journal makes of what the database says."""

from typing import Any, cast

import pytest

from pkg.postgres.tenancy import MerchantPool
from services.events.journal import EventFilter, Journal

PAGE = 20


class Answering:
    """A pool that has the answer to everything."""

    async def fetch(self, *_: object) -> list[dict[str, Any]]:
        """Return one event more than a page has."""
        event = {"is_wanted": True, "is_last": False, "commit_order": 1, "payload": b"event"}
        return [{**event, "id": f"evt_{number}"} for number in range(PAGE + 1)]


def test_events_that_are_only_handed_on_wait_for_nobody() -> None:
    """Who puts them into the reply lets others be served in between; once is enough."""
    journal = Journal(cast("MerchantPool", Answering()))
    listing = journal.list_events("mer_a", EventFilter(), place=None, size=PAGE, follow=False)
    with pytest.raises(StopIteration) as ended:
        listing.send(None)
    assert ended.value.value.items == [b"event"] * PAGE
