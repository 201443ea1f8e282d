"""What schemathesis is told of the API beside its document, loaded by schemathesis itself.

A schema cannot say everything that a request has to be, and proto3 JSON reads more spellings than
the document has. Both are listed here, each with its reason; all else is a failure.
"""

from collections.abc import Iterator
from typing import Any

import schemathesis
from schemathesis.core.failures import Failure
from schemathesis.specs.openapi.checks import (
    ensure_resource_availability,
    negative_data_rejection,
    unsupported_method,
)

from tests.openapi.document import operations, resolved, validator

# Valid by the schema, and refused all the same: (field, beginning of what is said).
BEYOND_A_SCHEMA = (
    ("card_details.pan", "is not a valid card number"),  # the check digit
    ("card_details.cvv", "must have"),  # 4 digits for American Express, else 3
    ("card_details.expiry", "is in the past"),
    ("card_details.expiry.year", "must be at most 50 years ahead"),
    ("card_token", "is of a card that has expired"),
    ("follow", "must not come with status"),
    ("url", "must"),  # a public address, over HTTPS
    ("by", "must leave the clock"),
    ("problem", "must be given if, and only if,"),  # a status, or why there is none
    ("effect.kind", "must be one of"),  # not KIND_UNSPECIFIED, which is a value of the enum
    ("effect.decline_code", "is possible only with"),  # of its kind, and of its verb
    ("effect.decline_code", "must be one of"),  # where the kind asks for one
    ("match.minor_units_max", "must not be less than"),
    ("active_until", "must be after"),
    ("start_time", "must"),  # not past, and not too far ahead
)
# Methods that Envoy's parser of HTTP/1.1 does not know: it can tell no path of them, and says 400.
NOT_KNOWN = {"QUERY"}
OF_THE_REQUEST = {"VALIDATION_FAILED", "MALFORMED_REQUEST", "UNKNOWN_FIELD"}
CARDS = ("4242424242424242", "4000000000000002", "378282246310005", "4000000000000259")


@schemathesis.check
def valid_requests_are_taken(ctx: Any, response: Any, case: Any) -> bool | None:
    """What the document allows is refused only for what a schema cannot say."""
    if not _is(case, "positive") or response.status_code != 400:
        return None
    info, *more = response.json()["details"]
    if info["reason"] not in OF_THE_REQUEST:
        return None  # of what the payment or the endpoint is, and not of the request
    said = [
        (one["field"], one["description"]) for detail in more for one in detail["field_violations"]
    ]
    if said and all(any(_is_beyond(*one, *known) for known in BEYOND_A_SCHEMA) for one in said):
        return None
    raise Failure(
        operation=case.operation.label, title="Valid data was refused", message=response.text
    )


@schemathesis.check
def invalid_requests_are_refused(ctx: Any, response: Any, case: Any) -> bool | None:
    """What the document does not allow is refused, unless it is a spelling that is read as well."""
    try:
        return bool(negative_data_rejection(ctx, response, case))
    except Failure:
        if is_other_spelling(case):
            return None
        raise


@schemathesis.check
def other_methods_are_refused(ctx: Any, response: Any, case: Any) -> bool | None:
    """A method that a path does not have is 405, with those that it has."""
    if response.request.method in NOT_KNOWN and response.status_code == 400:
        return None
    return bool(unsupported_method(ctx, response, case))


@schemathesis.check
def what_was_made_is_there(ctx: Any, response: Any, case: Any) -> bool | None:
    """Unless a reset has removed it, or it was made before by a request with the same key."""
    seen = ctx.internals
    parent = seen.find_parent(case_id=case.id)
    made = parent and seen.find_response(case_id=parent.id)
    if made is not None and "idempotent-replayed" in made.headers:
        return None
    if any(one.path == "/sandbox/reset" for one in seen.find_all_cases()):
        return None
    return bool(ensure_resource_availability(ctx, response, case))


def is_other_spelling(case: Any) -> bool:
    """Tell whether a request is one that the document allows, as proto3 JSON may spell it too."""
    described = operations()[case.operation.definition.raw["operationId"]]
    for parameter in map(resolved, described.get("parameters", [])):
        values: Any = {"query": case.query, "path": case.path_parameters}.get(parameter["in"])
        if values and parameter["name"] in values:
            schema = parameter["schema"]
            if not _fits(schema, values[parameter["name"]]):
                return False
    body = described.get("requestBody")
    return body is None or _fits(body["content"]["application/json"]["schema"], case.body)


def _fits(schema: dict[str, Any], value: Any) -> bool:
    return bool(validator(schema).is_valid(documented(schema, value)))


def documented(schema: dict[str, Any], value: Any) -> Any:
    """Return a value in the spelling of the document."""
    schema = resolved(schema)
    if isinstance(value, dict):
        found = dict(_fields(schema, value))
        if schema.get("type") == "array" and set(found) <= {"types"}:
            return found.get("types", [])  # a list may be sent as the message that holds it
        return found
    if "enum" in schema and str(value).isdecimal() and int(value) < len(schema["enum"]):
        return schema["enum"][int(value)]  # by its number
    return value


def _fields(schema: dict[str, Any], value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    known = schema.get("properties", {})
    camel = {_camel(name): name for name in known}
    for name, inner in value.items():
        if inner is None and name not in schema.get("required", ()):
            continue  # as if it were not there
        ours = camel.get(name, name)
        yield ours, documented(known.get(ours, {}), inner)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _is_beyond(field: str, said: str, known: str, beginning: str) -> bool:
    return field == known and said.startswith(beginning)


def _is(case: Any, mode: str) -> bool:
    return case.meta is not None and case.meta.generation.mode.value == mode


@schemathesis.hook
def map_case(ctx: Any, case: Any) -> Any:
    """Let right requests have what a schema cannot ask for.

    Most made-up digits are no card's number. And a whole number is written without a fraction: for
    JSON Schema 1000.0 is one as well, and here it is none.
    """
    if _is(case, "positive") and isinstance(case.body, dict):
        case.body = whole(case.body)
        details = case.body.get("card_details")
        if isinstance(details, dict) and isinstance(details.get("pan"), str):
            pan = CARDS[sum(map(ord, details["pan"])) % len(CARDS)]
            cvv = "1234" if pan.startswith("37") else "123"
            expiry = {"month": details["expiry"]["month"], "year": 2035}
            case.body["card_details"] = {"pan": pan, "cvv": cvv, "expiry": expiry}
    return case


def whole(value: Any) -> Any:
    """Return a value whose whole numbers have no fraction."""
    if isinstance(value, dict):
        return {name: whole(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [whole(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
