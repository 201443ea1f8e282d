"""What a scenario has done so far: who asks, over which protocol, and what came back."""

import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.protobuf import json_format

from paygate.payments.v1.payment_pb2 import Amount, Payment
from tests.e2e.clients import Answer, Client, Headers
from tests.e2e.rpcs import RPCS
from tests.e2e.seen import Seen
from tests.e2e.stack import Stack
from tests.sentinels import VISA, cvv_of, written

# Nobody else's, so that the search for leaks can tell it from what may be shown.
GOOD_CARD = written(VISA)[1]
AMOUNT = r"[0-9.]+ [A-Z]{3}"
SETTLES_SECONDS_MAX = 5.0  # the contract's
POLL_SECONDS = 0.05

# How many decimals the scenarios write; all other currencies have two.
_DECIMALS = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3}
_numbers = itertools.count(1)

Fields = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request as it was sent."""

    rpc: str
    fields: Fields
    headers: Headers


@dataclass
class Story:
    """One scenario.

    Attributes:
        client: The protocol that the scenario runs over.
        other_client: The other one.
        api_key: Whose payments these are.
        seen: Remembers the secrets of every scenario.
        other_key: The API key of a merchant who has no part in them.
        payment: The payment that it is about, as it was last seen.
        named: The payments that the scenario calls by a name.
        answers: To what was asked last; several if several requests were.
        past: To all that was asked before that.
        pages: The pages of a list, as they were read.
        followed: The RPC and the fields of the list that is followed.
        sent: Every request but those that only look.
        nonce: Makes the scenario's idempotency keys its own.
    """

    client: Client
    other_client: Client
    api_key: str
    seen: Seen
    other_key: str = ""
    payment: Payment = field(default_factory=Payment)
    named: dict[str, Payment] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    past: list[Answer] = field(default_factory=list)
    pages: list[list[Any]] = field(default_factory=list)
    followed: tuple[str, dict[str, Any]] = ("", {})
    sent: list[Asked] = field(default_factory=list)
    nonce: str = field(default_factory=lambda: f"-{next(_numbers)}")

    @property
    def answer(self) -> Answer:
        """The only answer to the last request."""
        (answer,) = self.answers
        return answer

    def ask(self, rpc: str, fields: Fields, *, key: str | None = None) -> Answer:
        """Send a request, with a key that no other scenario uses."""
        named = () if key is None else (self.key(key),)
        return self.send(Asked(rpc, fields, (*self.credentials, *named)))

    def send(self, asked: Asked, client: Client | None = None) -> Answer:
        """Send this very request."""
        self.sent.append(asked)
        self.remember([self.call(asked, client)])
        return self.answer

    def remember(self, answers: Sequence[Answer]) -> None:
        """Take these for what came back last, and the payment in them for the scenario's."""
        self.past += self.answers
        self.answers = list(answers)
        for answer in answers:
            assert answer.headers.get("x-request-id"), f"it does not name the request: {answer}"
            message = answer.message
            if message and "payment" in message.DESCRIPTOR.fields_by_name:
                self.payment = self.payment if answer.is_replayed else answer.payment

    def call(self, asked: Asked, client: Client | None = None) -> Answer:
        """Send a request and remember nothing."""
        request = json_format.ParseDict(asked.fields, RPCS[asked.rpc].request())
        answer = (client or self.client).call(asked.rpc, request, asked.headers)
        self.seen.note(asked.headers, answer)
        return answer

    def call_all(self, asked: Iterable[Asked]) -> None:
        """Send all these requests and remember what came back."""
        self.remember([self.call(one) for one in asked])

    def look(self, *, include_actions: bool = False) -> Payment:
        """Return the payment as it is now."""
        fields = {"id": self.payment.id, "include_actions": include_actions}
        return self.call(Asked("GetPayment", fields, self.credentials)).payment

    def look_until(self, met: Callable[[Payment], bool], seconds_max: float) -> Payment:
        """Look until the payment, with its actions, meets a condition; fail if it never does."""
        deadline = time.monotonic() + seconds_max
        while not met(payment := self.look(include_actions=True)):
            assert time.monotonic() < deadline, f"after {seconds_max} s it is still {payment}"
            time.sleep(POLL_SECONDS)
        return payment

    @property
    def credentials(self) -> Headers:
        """The header that says who asks."""
        return bearer(self.api_key)

    def key(self, name: str) -> tuple[str, str]:
        """Return the header for a key that no other scenario uses."""
        return ("idempotency-key", f"{name}{self.nonce}")


@pytest.fixture
def story(
    stack: Stack, client: Client, other_client: Client, other_merchant_key: str, seen: Seen
) -> Story:
    """A scenario of the demo merchant."""
    return Story(client, other_client, stack.api_key, seen, other_key=other_merchant_key)


def bearer(api_key: str) -> Headers:
    """Return the header that says who asks."""
    return (("authorization", f"Bearer {api_key}"),)


def card_fields(pan: str = GOOD_CARD, cvv: str | None = None) -> dict[str, Any]:
    """Return the details of a card that is good for a long time."""
    return {"pan": pan, "expiry": {"month": 11, "year": 2040}, "cvv": cvv or cvv_of(pan)}


def money(text: str) -> dict[str, Any]:
    """Return the amount that a scenario writes as `10.00 GBP`, `500 JPY` or `1.234 KWD`."""
    number, currency = text.split()
    _, _, decimals = number.partition(".")
    assert len(decimals) == _DECIMALS.get(currency, 2), f"{text} has the wrong decimals"
    return {"minor_units": int(number.replace(".", "")), "currency": currency}


def minor_units(text: str) -> int:
    """Return the minor units of an amount as scenarios write it."""
    units: int = money(text)["minor_units"]
    return units


def shown(amount: Amount) -> str:
    """Return an amount as scenarios write it."""
    decimals = _DECIMALS.get(amount.currency, 2)
    digits = f"{amount.minor_units:0{decimals + 1}d}"
    number = f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits
    return f"{number} {amount.currency}"


def rows(datatable: Sequence[Sequence[str]]) -> list[dict[str, str]]:
    """Return a table's rows by the names in its first row."""
    names, *values = datatable
    return [dict(zip(names, row, strict=True)) for row in values]
