# Generated from `_async` by `make proto-generate`: change it there.
"""Lists, page by page."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from paygate_client._call import Call
from paygate_client._requests import PAGE_SIZE
from paygate_client._sync.transport import Transport
from paygate_client.models import Page

T = TypeVar("T")


class Listing(Generic[T]):
    """A list whose pages are asked for while it is read: `for one in listing`.

    Each iteration begins anew, and may raise what a call may raise: see `PaygateError`.
    """

    def __init__(
        self,
        transport: Transport,
        ask: Callable[[str], Call[Page[T]]],
        *,
        token: str = "",
        poll_seconds: float | None = None,
    ) -> None:
        self._transport = transport
        self._ask = ask
        self._token = token
        self._poll_seconds = poll_seconds

    def pages(self) -> Iterator[Page[T]]:
        """Yield page by page, also empty ones.

        When you have done what is on a page, keep its `next_token`: a list that begins with it goes
        on there. A list that is followed waits after a page that is not full, and never ends.
        """
        token = self._token
        while True:
            page = self._transport.send(self._ask(token))
            yield page
            token = page.next_token
            if not token:
                return
            if self._poll_seconds is not None and len(page.items) < PAGE_SIZE:
                self._transport.pause(self._poll_seconds)

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items
