"""What a case is, whatever protocol it is sent over, and what comes back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from google.rpc.status_pb2 import Status

from tests.fuzz.api import Method
from tests.fuzz.pool import Pool
from tests.fuzz.values import Values

CODES = {code.value[0]: code.name for code in grpc.StatusCode}
CALM_CASES = 40
ONLY_ONE = 0.4
NOBODY = f"sk_{'0' * 16}_{'0' * 64}"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back.

    Attributes:
        http_status: None over gRPC; 0 if the connection was cut.
        code: The name of the gRPC code; over REST the one that an error names.
        reason: Of the error's ErrorInfo; empty without one.
        error: None for a success, and for an error that is no google.rpc.Status.
        headers: Names in lower case.
        body: As it came.
        message: The response of a success.
    """

    http_status: int | None = None
    code: str
    reason: str = ""
    error: Status | None = None
    headers: Sequence[tuple[str, str]] = ()
    body: bytes = b""
    message: Message | None = None

    @property
    def said(self) -> str:
        """The short of it, for counting."""
        return self.reason or self.code


class Case(Protocol):
    """One request, ready to be sent.

    Attributes:
        kind: `rest`, `grpc` or `bytes`, and where to if not to the edge.
        method: What it is aimed at.
        request: What it says, if it says it plainly.
        hurried: Whether it asks for an answer sooner than one can be had.
        oversized: Whether it is more than can be answered.
    """

    kind: str
    method: Method
    request: Message | None

    @property
    def hurried(self) -> bool:
        """See above."""

    @property
    def oversized(self) -> bool:
        """See above."""

    def send(self) -> Reply:
        """Send it."""

    def shown(self) -> str:
        """Return all of it, so that it can be sent again by hand."""


@dataclass(frozen=True)
class Keys:
    """API keys: of the merchant that has payments, and of one that has none.

    What the sandbox does to a merchant's data, or waits for, is done to the second one.
    """

    merchant: str
    scratch: str

    def of(self, method: Method) -> str:
        """Return the key to call a method with."""
        is_felt = ".sandbox." in method.service and method.bindings[0].verb != "GET"
        return self.scratch if is_felt else self.merchant


@dataclass
class Lane:
    """What makes the cases that are sent one after the other."""

    random: Random
    keys: Keys
    receiver_url: str
    pool: Pool = field(default_factory=Pool)
    count: int = 0

    def request(self, method: Method, *, odd: float) -> Message:
        """Return a message: with many fields odd by chance, or with one and no more."""
        only_one = odd > 0 and self.random.random() < ONLY_ONE
        chance = 0.0 if only_one else odd
        values = Values(self.random, self.pool, url=self.receiver_url, odd=chance)
        message = values.request(method)
        if only_one:
            values.with_one_odd(message)
        return message

    def idempotency_key(self) -> str:
        """Return a new key, or one that was sent before with another request."""
        if self.pool.keys and self.random.random() < 0.1:
            return self.random.choice(self.pool.keys)
        key = f"fuzz-{self.random.getrandbits(64):x}"
        self.pool.keys = [*self.pool.keys[-20:], key]
        return key

    def oddness(self, otherwise: float) -> float:
        """Return how odd the next case is to be: at first not at all, for there to be something."""
        self.count += 1
        return 0.0 if self.count <= CALM_CASES or self.random.random() < 0.1 else otherwise

    def authorization(self, method: Method, *, odd: float) -> list[str]:
        """Return the values of the header, nearly always the right one."""
        key = self.keys.of(method)
        if self.random.random() >= odd:
            return [f"Bearer {key}"]
        return self.random.choice(
            [
                [],
                [""],
                ["Bearer"],
                ["Bearer "],
                [key],
                [f"Basic {key}"],
                [f"Bearer  {key}"],
                [f"Bearer {key}x"],
                [f"Bearer {key[:-1]}"],
                [f"Bearer {key.upper()}"],
                [f"Bearer {NOBODY}"],
                [f"Bearer {key}"] * 2,
                ["Bearer " + "a" * 4000],
            ]
        )


def reason_of(status: Status) -> str:
    """Return the reason of the ErrorInfo in an error's details, if it is ours."""
    info = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info) and info.domain == "paygate":
            return str(info.reason)
    return ""
