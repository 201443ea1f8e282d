"""What follows from each attempt: a result, an error, or another attempt. Nothing here sends."""

import json
import random
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from paygate_client import errors
from paygate_client._call import Call
from paygate_client._decode import UNREADABLE, Json
from paygate_client.errors import FieldViolation, PaygateError, Problem

VERSION = "0.1.0"
PAUSE_SECONDS_FIRST = 0.05
PAUSE_SECONDS_MAX = 2.0
ATTEMPT_SECONDS_MIN = 0.1  # with less than this left nothing is tried again
ATTEMPT_SECONDS_MAX = 10.0  # the gateway ends every request within 5
REST_SECONDS = 1.0  # a reply that has begun may go on for so long after the deadline
SILENCE_SECONDS_MAX = 15.0  # of a stream, on which a sign of life comes every 10 at least
REPLY_BYTES_MAX = 2**24  # sixteen times what a gateway sends at most

T = TypeVar("T")

VISIBLE = re.compile(r"[!-~]{1,255}")
_DATA = b"data: "
_RETRIED = {429, 503, 504}
_BY_STATUS: dict[int, type[PaygateError]] = {
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    408: errors.UnavailableError,
    409: errors.ConflictError,
    429: errors.RateLimitedError,
    503: errors.UnavailableError,
    504: errors.UnavailableError,
}
_FAILED_PRECONDITION = 9  # google.rpc.Code


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, with the names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Broken:
    """No whole reply came; `how` is the name of what went wrong."""

    how: str


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """It is over, and this is the result."""

    result: T


@dataclass(frozen=True, slots=True)
class Again:
    """Try once more, after so many seconds."""

    seconds: float
    why: str


@dataclass(frozen=True, slots=True)
class Over:
    """It is over, and this is what is wrong."""

    error: PaygateError


class Deadline:
    """A number of seconds, counted from now.

    Args:
        seconds: How many.
        waits_seconds: How long the gateway waits on purpose; that is added.
        now: Tells the time.
    """

    def __init__(
        self,
        seconds: float,
        *,
        waits_seconds: float = 0.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._end = now() + seconds + waits_seconds
        self._attempt_seconds_max = ATTEMPT_SECONDS_MAX + waits_seconds

    @property
    def seconds_left(self) -> float:
        """How many are left; 0 at the end."""
        return max(0.0, self._end - self._now())

    @property
    def is_long_past(self) -> bool:
        """Whether even a reply that has begun is waited for no more."""
        return self._now() > self._end + REST_SECONDS

    @property
    def attempt_seconds(self) -> float:
        """How long one attempt may wait for anything."""
        return max(0.001, min(self._attempt_seconds_max, self.seconds_left))


class Lines:
    """Messages of server-sent events out of the pieces in which they come."""

    def __init__(self) -> None:
        self._rest = b""

    def of(self, piece: bytes) -> list[bytes]:
        """Return the messages that end in the next piece."""
        *whole, self._rest = (self._rest + piece).split(b"\n")
        return [line[len(_DATA) :] for line in whole if line.startswith(_DATA)]

    @property
    def are_too_long(self) -> bool:
        """Whether one has begun that does not end."""
        return len(self._rest) > REPLY_BYTES_MAX


def key_for(call: Call[Any], given: str | None) -> str | None:
    """Return the one key of all attempts at a call.

    Raises:
        ValueError: The given one is not 1 to 255 visible ASCII characters.
    """
    if not call.takes_key:
        return None
    if given is None:
        return str(uuid.uuid4())
    if not VISIBLE.fullmatch(given):
        raise ValueError("an idempotency key has 1 to 255 visible ASCII characters")
    return given


def next_step(
    call: Call[T],
    attempt: Reply | Broken,
    *,
    number: int,
    key: str | None,
    seconds_left: float,
    dice: Callable[[], float] = random.random,
) -> Done[T] | Again | Over:
    """Say what follows from the attempt of this number, from 1.

    Again after no reply, 409 IDEMPOTENCY_IN_FLIGHT, 429, 503 and 504, unless the time is over
    before: the key makes sure of one effect, and calls without one may be repeated.
    """
    if isinstance(attempt, Broken):
        error: PaygateError = errors.ConnectionFailedError(_broken(call, attempt, key))
    elif attempt.status == 200:
        return _result(call, attempt, key)
    elif call.gone_is_done and number > 1 and attempt.status == 404:
        return Done(call.read({}))
    else:
        error = _refusal(call, attempt, key)
        if attempt.status not in _RETRIED and error.reason != "IDEMPOTENCY_IN_FLIGHT":
            return Over(error)
    asked = error.problem.retry_after_seconds
    pause = backoff(number, dice) if asked is None else asked + _longest(number) * dice()
    is_time = pause + ATTEMPT_SECONDS_MIN < seconds_left
    return Again(pause, error.reason) if is_time else Over(error)


def still_pending() -> PaygateError:
    """Return what is raised when a payment has not become final in time."""
    message = "The bank's answer is not known yet."
    return errors.StillPendingError(
        Problem(call="wait until final", reason="STILL_PENDING", message=message)
    )


def backoff(number: int, dice: Callable[[], float] = random.random) -> float:
    """Return how many seconds to wait after so many tries, from 1: between half and all of it."""
    return _longest(number) * (1 + dice()) / 2


def _longest(number: int) -> float:
    return min(PAUSE_SECONDS_MAX, PAUSE_SECONDS_FIRST * 2.0 ** min(number, 16))


def _result(call: Call[T], reply: Reply, key: str | None) -> Done[T] | Over:
    try:
        return Done(call.read(_object(reply.body)))
    except UNREADABLE:
        pass
    return Over(errors.GatewayError(_unexpected(call, reply, key)))


def _refusal(call: Call[Any], reply: Reply, key: str | None) -> PaygateError:
    try:
        problem, code = _told(call, reply, key)
    except UNREADABLE:
        problem, code = _unexpected(call, reply, key), 0
    if code == _FAILED_PRECONDITION:
        return errors.RefusedError(problem)
    other = errors.InvalidRequestError if 400 <= reply.status < 500 else errors.GatewayError
    return _BY_STATUS.get(reply.status, other)(problem)


def _told(call: Call[Any], reply: Reply, key: str | None) -> tuple[Problem, int]:
    said = _object(reply.body)
    details = {str(one["@type"]).rpartition(".")[2]: one for one in said["details"]}
    info, fields = details["ErrorInfo"], details.get("BadRequest", {})
    problem = Problem(
        call=call.name,
        reason=str(info["reason"]),
        message=str(said["message"]),
        http_status=reply.status,
        request_id=reply.headers.get("x-request-id"),
        metadata=dict(info.get("metadata", {})),
        field_violations=tuple(
            FieldViolation(field=one["field"], description=one["description"])
            for one in fields.get("field_violations", ())
        ),
        idempotency_key=key,
        retry_after_seconds=_retry_after(reply),
    )
    return problem, int(said["code"])


def _unexpected(call: Call[Any], reply: Reply, key: str | None) -> Problem:
    return Problem(
        call=call.name,
        reason="UNEXPECTED_REPLY",
        message=f"Not a reply of a gateway's, with HTTP {reply.status}.",
        http_status=reply.status,
        request_id=reply.headers.get("x-request-id"),
        idempotency_key=key,
        retry_after_seconds=_retry_after(reply),
    )


def _broken(call: Call[Any], attempt: Broken, key: str | None) -> Problem:
    return Problem(
        call=call.name,
        reason="CONNECTION_FAILED",
        message=f"No reply came: {attempt.how}.",
        idempotency_key=key,
    )


def _retry_after(reply: Reply) -> float | None:
    text = reply.headers.get("retry-after", "")
    return float(text) if re.fullmatch("[0-9]{1,9}", text) else None


def _object(body: bytes) -> Json:
    said = json.loads(body)
    if not isinstance(said, dict):
        raise TypeError("no JSON object")
    return said
