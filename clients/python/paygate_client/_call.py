"""One call of the API as a value: what is sent, and how its reply is read."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

from paygate_client._decode import Json

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """What is sent, without key and address.

    Attributes:
        name: For logs and errors.
        method: Of HTTP.
        path: Without the query.
        read: Makes the result out of the reply's JSON.
        query: By name; what is None is not sent.
        body: The fields of the JSON object; None for no body. It may hold a card.
        takes_key: Whether an idempotency key counts.
        gone_is_done: Whether "not found" on a second try means that the first one has done it.
        waits_seconds: How long the gateway waits on purpose.
    """

    name: str
    method: str
    path: str
    read: Callable[[Json], T]
    query: Mapping[str, str | None] = field(default_factory=dict)
    body: Mapping[str, object] | None = field(default=None, repr=False)
    takes_key: bool = False
    gone_is_done: bool = False
    waits_seconds: float = 0.0

    @property
    def target(self) -> str:
        """Path and query."""
        asked = urlencode({name: text for name, text in self.query.items() if text is not None})
        return f"{self.path}?{asked}" if asked else self.path

    def content(self) -> bytes | None:
        """Return the body as JSON. What it fails on is not shown, for it may be a card.

        Raises:
            TypeError: A value is neither text, number nor truth value.
        """
        if self.body is None:
            return None
        try:
            return json.dumps(self.body).encode()
        except (TypeError, ValueError):
            pass  # its traceback holds the body
        raise TypeError(f"{self.name}: a value is neither text, number nor truth value")


def part(text: str) -> str:
    """Return an id or token as a part of a path.

    Raises:
        TypeError: It is no text.
        ValueError: It is empty or dots, with which the request would go to another path.
    """
    if not isinstance(text, str):
        raise TypeError("an id is text")
    if text in {"", ".", ".."}:
        raise ValueError("an id is neither empty nor dots")
    return quote(text, safe="")
