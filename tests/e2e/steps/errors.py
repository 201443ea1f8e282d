"""Steps that look at refusals, and at replies that are sent again."""

import re
from collections.abc import Iterator, Sequence

import grpc
from google.protobuf import json_format
from pytest_bdd import parsers, then

from tests.e2e.clients import Answer
from tests.e2e.steps.story import Story, rows

_Code = grpc.StatusCode

# The contract's table of errors.
ERRORS = {
    "VALIDATION_FAILED": (_Code.INVALID_ARGUMENT, 400),
    "CURRENCY_MISMATCH": (_Code.INVALID_ARGUMENT, 400),
    "INVALID_PAGE_TOKEN": (_Code.INVALID_ARGUMENT, 400),
    "MALFORMED_REQUEST": (_Code.INVALID_ARGUMENT, 400),
    "INVALID_API_KEY": (_Code.UNAUTHENTICATED, 401),
    "INSUFFICIENT_SCOPE": (_Code.PERMISSION_DENIED, 403),
    "PAYMENT_NOT_FOUND": (_Code.NOT_FOUND, 404),
    "CARD_TOKEN_NOT_FOUND": (_Code.NOT_FOUND, 404),
    "CARD_TOKEN_REMOVED": (_Code.FAILED_PRECONDITION, 400),
    "WEBHOOK_ENDPOINT_NOT_FOUND": (_Code.NOT_FOUND, 404),
    "EVENT_NOT_FOUND": (_Code.NOT_FOUND, 404),
    "LISTENER_REPLACED": (_Code.FAILED_PRECONDITION, 400),
    "REQUEST_NOT_FOUND": (_Code.NOT_FOUND, 404),
    "BANK_RULE_NOT_FOUND": (_Code.NOT_FOUND, 404),
    "BANK_RULE_LIMIT": (_Code.FAILED_PRECONDITION, 400),
    "SANDBOX_NOT_FOUND": (_Code.NOT_FOUND, 404),
    "SANDBOX_LIMIT": (_Code.FAILED_PRECONDITION, 400),
    "WEBHOOK_ENDPOINT_LIMIT": (_Code.FAILED_PRECONDITION, 400),
    "WEBHOOK_ENDPOINT_DISABLED": (_Code.FAILED_PRECONDITION, 400),
    "IDEMPOTENCY_IN_FLIGHT": (_Code.ABORTED, 409),
    "ACTION_PENDING": (_Code.ABORTED, 409),
    "AMOUNT_EXCEEDS_CAPTURABLE": (_Code.FAILED_PRECONDITION, 400),
    "AMOUNT_EXCEEDS_REFUNDABLE": (_Code.FAILED_PRECONDITION, 400),
    "PAYMENT_VOIDED": (_Code.FAILED_PRECONDITION, 400),
    "PAYMENT_EXPIRED": (_Code.FAILED_PRECONDITION, 400),
    "PAYMENT_DECLINED": (_Code.FAILED_PRECONDITION, 400),
    "PAYMENT_FAILED": (_Code.FAILED_PRECONDITION, 400),
    "PAYMENT_REFUNDED": (_Code.FAILED_PRECONDITION, 400),
    "PAYMENT_CAPTURED": (_Code.FAILED_PRECONDITION, 400),
    "NOT_CAPTURED": (_Code.FAILED_PRECONDITION, 400),
    "IDEMPOTENCY_KEY_REUSED": (_Code.FAILED_PRECONDITION, 400),
}


@then(parsers.re(r"(it|each) is refused with (?P<reason>[A-Z_]+)"))
def is_refused(story: Story, reason: str) -> None:
    """The request did nothing, for this reason."""
    assert story.answers
    for answer in story.answers:
        assert_refused(answer, reason)


@then(
    parsers.re(
        r"the error has the code (?P<code>[A-Z_]+), over HTTP the status (?P<status>\d+), "
        r"and the reason (?P<reason>[A-Z_]+)"
    )
)
def error_is(story: Story, code: str, status: str, reason: str) -> None:
    """What the table of the contract says."""
    answer = story.answer
    assert answer.error is not None
    assert (answer.code.name, answer.info.reason) == (code, reason)
    assert answer.error.code == answer.code.value[0]
    assert answer.http_status in {None, int(status)}
    assert answer.info.domain == "paygate"


@then(parsers.re(r"the error has the code (?P<code>[A-Z_]+)"))
def code_is(story: Story, code: str) -> None:
    """The gRPC code is this."""
    assert story.answer.code.name == code


@then("the error has a sentence for people")
def has_message(story: Story) -> None:
    """A message that ends like a sentence."""
    assert story.answer.error is not None
    assert re.fullmatch(r"[A-Z].*\.", story.answer.error.message)


@then("it says")
def says(story: Story, datatable: Sequence[Sequence[str]]) -> None:
    """The metadata of the ErrorInfo, minor units as text."""
    assert [dict(story.answer.info.metadata)] == rows(datatable)


@then(parsers.re(r"it names the field (?P<field>\S+)"))
def names_field(story: Story, field: str) -> None:
    """This field and no other."""
    assert set(story.answer.violations) == {field}


@then("it names these fields, each with a sentence for people")
def names_fields(story: Story, datatable: Sequence[Sequence[str]]) -> None:
    """These fields and no others."""
    violations = story.answer.violations
    assert set(violations) == {row["field"] for row in rows(datatable)}
    assert all(violations.values())


@then("it repeats nothing that I sent")
def repeats_nothing(story: Story) -> None:
    """No value of the request is anywhere in the error, nor is any key."""
    assert story.answer.error is not None
    told = json_format.MessageToJson(story.answer.error, ensure_ascii=False)
    told += story.answer.body.decode("utf-8", "replace")
    asked = story.sent[-1]
    for value in (*_values(asked.fields), *(value for _, value in asked.headers)):
        # A single letter or digit is in every sentence.
        assert len(value) < 2 or value not in told, f"{value} is in {told}"


@then(parsers.re(r"it is (?P<negated>not )?a replay"))
def is_replay(story: Story, negated: str | None) -> None:
    """The header says whether this is a stored reply; it is not there when it isn't."""
    assert story.answer.error is None, story.answer
    assert story.answer.headers.get("idempotent-replayed") == (None if negated else "true")


@then("the reply is the same as before, byte for byte")
def same_bytes(story: Story) -> None:
    """The body is what the request before got."""
    assert story.answer.body == story.past[-1].body


@then("the reply is the same message as before")
def same_message(story: Story) -> None:
    """The message is what the request before got, in the form of its own protocol."""
    assert story.answer.message is not None
    assert story.answer.message == story.past[-1].message


@then("all replies are the same, byte for byte")
def all_same(story: Story) -> None:
    """Nothing but the request's id tells them apart."""
    first, *others = (_apart_from_request_id(answer) for answer in story.answers)
    assert others
    for other in others:
        assert other == first


@then("each is SUCCEEDED and none a replay")
def each_succeeded(story: Story) -> None:
    """Each had an effect of its own."""
    for answer in story.answers:
        assert answer.action.status == answer.action.STATUS_SUCCEEDED
        assert not answer.is_replayed


@then(
    parsers.re(
        r"one is SUCCEEDED and the other is refused with (?P<reason>[A-Z_]+) and retry-after"
    )
)
def one_of_two(story: Story, reason: str) -> None:
    """One had the effect; the other is told when to come back."""
    done, refused = story.answers
    assert done.action.status == done.action.STATUS_SUCCEEDED
    assert_refused(refused, reason)
    assert int(refused.headers["retry-after"]) >= 1
    story.answers = [done]


def assert_refused(answer: Answer, reason: str) -> None:
    """Fail unless the error has this reason, and the statuses that belong to it."""
    code, http_status = ERRORS[reason]
    assert answer.error is not None, f"not refused but {answer.message}"
    assert answer.info.reason == reason
    assert answer.info.domain == "paygate"
    assert (answer.code, answer.http_status or http_status) == (code, http_status)


def _apart_from_request_id(answer: Answer) -> tuple[object, ...]:
    passing = {"x-request-id", "date"}
    headers = {name: value for name, value in answer.headers.items() if name not in passing}
    return answer.code, answer.http_status, answer.body, headers


def _values(fields: object) -> Iterator[str]:
    match fields:
        case dict():
            for value in fields.values():
                yield from _values(value)
        case bool():
            return
        case str():
            yield fields
            yield re.sub(r"[ -]", "", fields)
        case _:
            yield str(fields)
