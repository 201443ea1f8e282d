"""What replies have told: ids, page tokens, amounts. With them a request reaches the core."""

import re
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from google.protobuf.message import Message

from pkg.ids import SUFFIX_PATTERN
from tests.fuzz.api import Method

IDS_MAX = 40
RECENT = 8
YEAR = 2030  # before any reply has told

# Or a UUID, which names a request.
_ID = re.compile(rf"([a-z]+)_{SUFFIX_PATTERN}\Z|[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-\w{{12}}\Z")
REQUEST = "request"


@dataclass
class Pool:
    """What one lane knows.

    Attributes:
        ids: By their prefix, the newest last.
        payments: How each was last seen, by its id.
        deliveries: Events and endpoints that belong together, the newest last.
        listeners: Endpoints for programs that take what is posted, the newest last.
        pages: Requests of a next page, by the method's path.
        tokens: Page tokens, whatever list they are of.
        keys: Idempotency keys that were sent.
        fitting: The prefixes of ids that were taken, by method and field.
        refused: How often an id of a prefix was not found, by method and field.
        year: In which the sandbox's clock was last seen.
    """

    ids: dict[str, list[str]] = field(default_factory=dict)
    payments: dict[str, Any] = field(default_factory=dict)
    deliveries: list[tuple[str, str]] = field(default_factory=list)
    listeners: list[str] = field(default_factory=list)
    pages: dict[str, list[bytes]] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    fitting: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    refused: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    year: int = YEAR

    def learn(self, method: Method, request: Message | None, reply: Message) -> None:
        """Remember what a reply tells, and which ids the request was right to name."""
        self._walk(reply)
        if request is None:
            return
        for described, value in request.ListFields():
            if isinstance(value, str) and (kind := _kind(value)):
                self._fits(method, described.name).add(kind)
        if token := getattr(reply, "next_page_token", ""):
            following: Any = type(request)()
            following.CopyFrom(request)
            following.page_token = token
            _keep(self.tokens, token, RECENT)
            _keep(self.pages.setdefault(method.path, []), following.SerializeToString(), RECENT)

    def forget(self, method: Method, request: Message) -> None:
        """Drop the ids of a request, if they are of the right kind: they are no more.

        Until it is known which kind is right, remember that this one may not be.
        """
        for described, value in request.ListFields():
            if isinstance(value, str) and (kind := _kind(value)):
                self._refusals(method, described.name)[kind] += 1
                fits, known = self._fits(method, described.name), self.ids.get(kind, [])
                if kind in fits and value in known:
                    known.remove(value)
                if value in self.listeners:
                    self.listeners.remove(value)

    def id_for(self, random: Random, method: Method, name: str, *, prefix: str | None) -> str:
        """Return a real id for a field: nearly always with its prefix, or one that was right.

        While none was right, those kinds are tried that were refused least often: drawn anew each
        time, the right one would not come up in some runs.
        """
        prefixes = sorted(one for one, known in self.ids.items() if known)
        fits, refused = self._fits(method, name), self._refusals(method, name)
        if random.random() < 0.95:
            right = [one for one in prefixes if one == prefix or one in fits]
            least = min((refused[one] for one in prefixes), default=0)
            untried = [one for one in prefixes if refused[one] == least]
            prefixes = right if prefix else right or untried
        if not prefixes:
            return ""
        known = self.ids[random.choice(prefixes)]
        return random.choice(known[-RECENT:] if random.random() < 0.8 else known)

    def open_payments(self) -> list[str]:
        """Return the ids of payments of which something can be captured or refunded."""
        return [
            one.id
            for one in self.payments.values()
            if one.capturable.minor_units or one.refundable.minor_units
        ]

    def _fits(self, method: Method, name: str) -> set[str]:
        return self.fitting.setdefault((method.path, name), set())

    def _refusals(self, method: Method, name: str) -> Counter[str]:
        return self.refused.setdefault((method.path, name), Counter())

    def _walk(self, message: Message) -> None:
        if message.DESCRIPTOR.full_name.endswith(".Payment"):
            self._see(message)
        if message.DESCRIPTOR.full_name.endswith(".Delivery"):
            told: Any = message
            _keep(self.deliveries, (told.event_id, told.endpoint_id), RECENT)
        if "/listener." in getattr(message, "url", ""):
            _keep(self.listeners, message.id, RECENT)  # type: ignore[attr-defined]  # an endpoint's
        if "now" in message.DESCRIPTOR.fields_by_name:
            self.year = message.now.ToDatetime().year  # type: ignore[attr-defined]  # a clock's
        for described, value in message.ListFields():
            for one in value if described.is_repeated else (value,):
                if isinstance(one, Message):
                    self._walk(one)
                elif isinstance(one, str) and (kind := _kind(one)):
                    known = self.ids.setdefault(kind, [])
                    if one not in known:
                        _keep(known, one, IDS_MAX)

    def _see(self, payment: Any) -> None:
        self.year = payment.update_time.ToDatetime().year
        self.payments.pop(payment.id, None)
        self.payments[payment.id] = payment
        if len(self.payments) > IDS_MAX:
            del self.payments[next(iter(self.payments))]


def _keep(kept: list[Any], one: Any, at_most: int) -> None:
    kept.append(one)
    del kept[:-at_most]


def _kind(text: str) -> str:
    """Return what kind of thing a text names: the prefix of an id; empty if none."""
    match = _ID.match(text)
    return (match[1] or REQUEST) if match else ""
