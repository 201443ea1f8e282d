"""What the Python client does after each answer, whatever carries it."""

import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from paygate_client import _requests as requests
from paygate_client import errors
from paygate_client._address import headers_for
from paygate_client._sandbox_requests import drain as draining
from paygate_client._sandbox_requests import list_test_cards
from paygate_client._sending import (
    ATTEMPT_SECONDS_MAX,
    PAUSE_SECONDS_MAX,
    Again,
    Broken,
    Deadline,
    Done,
    Over,
    Reply,
    key_for,
    next_step,
)
from paygate_client.errors import FieldViolation, PaygateError
from tests.client.gateway import DONE, refused, said

VOID = requests.void("pay_1", remainder=False, reference="")
LIST = list_test_cards()
KEY = "a-key"


def step(
    answer: httpx2.Response | Broken, *, call: Any = VOID, number: int = 1, left: float = 30.0
) -> Done[Any] | Again | Over:
    """Return what follows from an answer."""
    attempt = (
        answer
        if isinstance(answer, Broken)
        else Reply(answer.status_code, dict(answer.headers), answer.content)
    )
    return next_step(call, attempt, number=number, key=KEY, seconds_left=left, dice=lambda: 1.0)


@pytest.mark.parametrize(
    "answer",
    [
        Broken("ConnectError"),
        Broken("ReadError"),
        Broken("ReadTimeout"),
        refused(409, "IDEMPOTENCY_IN_FLIGHT"),
        refused(429, "RATE_LIMITED"),
        refused(503, "OVERLOADED"),
        refused(503, "DEPENDENCY_UNAVAILABLE"),
        refused(504, "DEADLINE_EXCEEDED"),
        httpx2.Response(503, text="<html>from a proxy"),
    ],
)
def test_what_goes_away_by_itself_is_tried_again(answer: httpx2.Response | Broken) -> None:
    """No reply, in flight, 429, 503 and 504: again, until the time is over."""
    assert isinstance(step(answer), Again)
    assert isinstance(step(answer, left=0.0), Over)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(400, "VALIDATION_FAILED"), errors.InvalidRequestError),
        (refused(400, "PAYMENT_VOIDED", code=9), errors.RefusedError),
        (refused(401, "INVALID_API_KEY"), errors.AuthenticationError),
        (refused(403, "INSUFFICIENT_SCOPE"), errors.PermissionDeniedError),
        (refused(404, "PAYMENT_NOT_FOUND"), errors.NotFoundError),
        (refused(408, "DEADLINE_EXCEEDED"), errors.UnavailableError),
        (refused(409, "ACTION_PENDING"), errors.ConflictError),
        (refused(409, "CONCURRENT_UPDATE"), errors.ConflictError),
        (refused(413, "BODY_TOO_LARGE"), errors.InvalidRequestError),
        (refused(500, "INTERNAL"), errors.GatewayError),
    ],
)
def test_what_does_not_is_an_error_at_once(
    answer: httpx2.Response, kind: type[PaygateError]
) -> None:
    """Each has the class of what there is to do, and the gateway's reason."""
    over = step(answer)
    assert isinstance(over, Over)
    assert type(over.error) is kind
    assert over.error.reason == answer.json()["details"][0]["reason"]
    assert over.error.idempotency_key == KEY


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, text="<html>Welcome"),
        said({"action": {}, "payment": None}),
        said(["a list"]),
        httpx2.Response(200, text="[" * 100_000),
        httpx2.Response(400, text="[" * 100_000),
        httpx2.Response(200, text=json.dumps(DONE).replace('"1000"', "1e999")),
        httpx2.Response(500, text="<html>Oops"),
        said({"code": 13}, 500),
    ],
)
def test_what_is_no_reply_of_a_gateways_is_an_error(answer: httpx2.Response) -> None:
    """A proxy's page or another server's JSON is not taken for a result."""
    over = step(answer)
    assert isinstance(over, Over)
    kind = errors.InvalidRequestError if answer.status_code == 400 else errors.GatewayError
    assert type(over.error) is kind
    assert over.error.reason == "UNEXPECTED_REPLY"


def test_a_result_has_what_a_newer_gateway_says() -> None:
    """Unknown fields and values are no reason to fail after something was done."""
    newer = {**DONE["payment"], "status": "STATUS_OF_THE_FUTURE", "colour": "blue"}
    done = step(said({**DONE, "payment": newer, "weather": {}}))
    assert isinstance(done, Done)
    assert done.result.payment.status == "STATUS_OF_THE_FUTURE"


def test_an_error_says_all_that_the_gateway_said() -> None:
    """Field violations, metadata, request id and the key are there, also in the text."""
    bad = {"field": "card_details.pan", "description": "is not a valid card number", "reason": ""}
    kind = "type.googleapis.com/google.rpc."
    details = [
        {"@type": f"{kind}ErrorInfo", "reason": "VALIDATION_FAILED", "metadata": {"a": "b"}},
        {"@type": f"{kind}BadRequest", "field_violations": [bad]},
    ]
    body = {"code": 3, "message": "The request is not valid.", "details": details}
    over = step(said(body, 400, x_request_id="req-1"))
    assert isinstance(over, Over)
    problem = over.error.problem
    assert (problem.http_status, problem.request_id, problem.call) == (400, "req-1", "void")
    assert problem.metadata == {"a": "b"}
    (violation,) = over.error.field_violations
    assert violation == FieldViolation(field=bad["field"], description=bad["description"])
    for text in ("VALIDATION_FAILED", "card_details.pan is not a valid card number.", "req-1"):
        assert text in str(over.error)


def test_the_gateways_wish_is_obeyed() -> None:
    """`retry-after` is waited for in full, or, past the deadline, not at all."""
    asked = refused(429, "RATE_LIMITED", retry_after="5")
    again, over = step(asked), step(asked, left=5.0)
    assert isinstance(again, Again)
    assert 5.0 < again.seconds <= 5.0 + PAUSE_SECONDS_MAX
    assert isinstance(over, Over)
    assert over.error.problem.retry_after_seconds == 5.0
    for odd in ("-1", "nan", "soon", "1e9", ""):
        wild = step(refused(429, "RATE_LIMITED", retry_after=odd))
        assert isinstance(wild, Again)
        assert wild.seconds < PAUSE_SECONDS_MAX


def test_pauses_grow_to_a_bound() -> None:
    """The first is short and none is longer than the bound, whatever its number."""
    pauses = []
    for number in (1, 2, 3, 8, 5000):
        again = step(Broken("ReadError"), number=number)
        assert isinstance(again, Again)
        pauses.append(again.seconds)
    assert pauses == sorted(pauses)
    assert pauses[0] < 0.2
    assert pauses[-1] == PAUSE_SECONDS_MAX


def test_an_endpoint_that_is_gone_on_the_second_try_was_deleted_by_the_first() -> None:
    """Only the reply was lost. On the first try, and for anything else, it is an error."""
    gone = refused(404, "WEBHOOK_ENDPOINT_NOT_FOUND")
    delete = requests.delete_endpoint("we_1")
    assert isinstance(step(gone, call=delete, number=2), Done)
    assert isinstance(step(gone, call=delete), Over)
    assert isinstance(step(gone, number=2), Over)


def test_a_key_is_the_callers_or_random() -> None:
    """Calls that move nothing have none; one that no header can carry is refused."""
    assert key_for(VOID, KEY) == KEY
    assert key_for(VOID, None) != key_for(VOID, None)
    assert key_for(LIST, KEY) is None
    for wrong in ("", "a b", "ä", "a\n", "k" * 256):
        with pytest.raises(ValueError, match="idempotency key"):
            key_for(VOID, wrong)


def test_addresses_and_api_keys_are_looked_at() -> None:
    """What could send a key somewhere else, or cannot be a header, is refused."""
    assert headers_for("https://pay.example/v1", "sk_1")["authorization"] == "Bearer sk_1"
    wrong = ["pay.example", "ftp://a", "http://", "http://a b", "http://a?b=", "http://a#b"]
    # No host; one that no name service knows how to ask for; a user, who would replace the key.
    wrong += ["http://:80", "http://[::1", "http://[zz]", "http://a:b", "http://a..b"]
    wrong += [f"http://{'a' * 64}", "http://user:password@a", "http://user@a"]
    # Ports that there are none of: the system would take one of them for 34463.
    wrong += ["http://a:0", "http://127.0.0.1:99999"]
    for address in wrong:
        with pytest.raises(ValueError, match="address"):
            headers_for(address, "sk_1")
    for key in ("", "sk\n", "sk 1", "ключ"):
        with pytest.raises(ValueError, match="API key"):
            headers_for("http://a", key)


def test_a_deadline_ends_attempts_too() -> None:
    """An attempt waits for what is left at most; longer only where the gateway waits, too."""
    now = 100.0
    deadline = Deadline(30.0, now=lambda: now)
    drain = Deadline(30.0, waits_seconds=20.0, now=lambda: now)
    assert deadline.attempt_seconds == ATTEMPT_SECONDS_MAX
    assert drain.attempt_seconds == ATTEMPT_SECONDS_MAX + 20.0
    now = 129.0
    assert deadline.attempt_seconds == pytest.approx(1.0)
    now = 130.9
    assert deadline.seconds_left == 0.0
    assert not deadline.is_long_past
    now = 131.1
    assert deadline.is_long_past
    assert draining(timedelta(seconds=20)).waits_seconds == 20.0
