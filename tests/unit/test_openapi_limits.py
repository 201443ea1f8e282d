"""The limits that build/openapi.json tells are those that services hold requests to."""

from functools import cache
from typing import Any

import pytest
from google.protobuf import json_format
from jsonschema import Draft202012Validator

from pkg.errors import ApiError
from pkg.grpc.validation import Checks
from services.payments.api.sandbox import ADVANCE_MAX, DRAIN_MAX
from tests.openapi import document
from tests.unit.at_the_limits import CASES, NOT_IN_A_CASE, READ
from tools.openapi.finished import json_schema
from tools.openapi.limits import LIMITS, up_to

ALL = [
    (case, value, is_good)
    for case, (good, bad) in CASES.items()
    for values, is_good in ((good, True), (bad, False))
    for value in values
]


@pytest.mark.parametrize(("case", "value", "is_good"), ALL)
def test_what_is_said_is_what_is_enforced(case: str, value: object, is_good: bool) -> None:
    """At each limit, the document and the service say yes and no to the same."""
    name, _, place = case.partition(" ")
    kind, given, read = READ[name]
    asked = with_value(given, place.split("."), value)
    assert validator(name).is_valid(asked) == is_good
    try:
        read(json_format.ParseDict(asked, kind()))
    except ApiError:
        assert not is_good
    else:
        assert is_good


def test_every_limit_is_tried() -> None:
    """Each field of a request that the document says more of than its type is in a case above."""
    assert set(LIMITS) - {field_of(case) for case in CASES} == NOT_IN_A_CASE


def field_of(case: str) -> str:
    """Return the full name of the field that a case is about."""
    name, _, place = case.partition(" ")
    message: Any = READ[name][0].DESCRIPTOR
    *way, last = place.split(".")
    for step in way:
        message = message.fields_by_name[step].message_type
    return str(message.fields_by_name[last].full_name)


@pytest.mark.parametrize("key", ["a", "!~", "k" * 255, "", "a b", "k" * 256, "\x7f", "\x1f", "ä"])
def test_a_key_is_said_to_be_what_it_has_to_be(key: str) -> None:
    """The header's pattern takes what services take."""
    told = document.document()["components"]["parameters"]["idempotency-key"]["schema"]
    checks = Checks()
    checks.idempotency_key([key])
    assert document.validator(told).is_valid(key) == (not checks.violations)


def with_value(given: dict[str, Any], place: list[str], value: object) -> dict[str, Any]:
    """Return a request with another value at a place."""
    first, *rest = place
    inner = with_value(given[first], rest, value) if rest else value
    return {**given, first: inner}


@cache
def validator(name: str) -> Draft202012Validator:
    """Return what tells whether the document allows a request."""
    return document.validator(asked_of(name))


@cache
def asked_of(name: str) -> dict[str, Any]:
    """Return the schema of all that an operation may be asked, by body, path and query."""
    operation = document.operations()[name]
    asked: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    if body := json_schema(operation.get("requestBody", {})):
        asked = document.resolved(body)
    parameters = map(document.resolved, operation.get("parameters", []))
    given = {one["name"]: one["schema"] for one in parameters}
    return {**asked, "properties": {**asked["properties"], **given}}


@pytest.mark.parametrize(
    "text",
    [
        *("-1s", "0s", "0.5s", "1s", "1.000000001s", "29.9s", "30s", "30.000s", "30.1s", "31s"),
        *("34559999.9s", "34560000s", "34560000.0s", "34560000.5s", "34560001s", "99999999s"),
    ],
)
def test_durations_are_as_long_as_the_sandbox_takes(text: str) -> None:
    """What a drain waits at most, and how far the clock is turned, by the sandbox's own numbers."""
    seconds = float(text.removesuffix("s"))
    waited = 0 <= seconds <= DRAIN_MAX.total_seconds()
    assert validator("drain").is_valid({"timeout": text}) == waited
    turned = 1 <= seconds <= ADVANCE_MAX.total_seconds()
    assert validator("advanceClock").is_valid({"by": text}) == turned


@pytest.mark.parametrize("most", [0, 9, 10, 19, 30, 100, 255, 604_800, 10**12])
def test_numbers_up_to_a_limit(most: int) -> None:
    """The pattern takes what is within, and nothing beyond, by its digits alone."""
    checks = Draft202012Validator({"pattern": f"^({up_to(most)})$"})
    around = {0, 1, 9, 10, 11, 99, 100, most - 1, most, most + 1, most * 10, most // 2}
    for number in around - {-1}:
        assert checks.is_valid(str(number)) == (number <= most), number
    assert not checks.is_valid("00")
    assert not checks.is_valid("")
