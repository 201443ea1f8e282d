"""build/openapi.json is OpenAPI 3.1, and says of the API what the protos say."""

import json
import re
from typing import Any

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from services.events.requests import LISTED_TYPES
from tests.fuzz.api import public_methods
from tests.fuzz.oracle import documented
from tests.openapi.document import document, operations, places, resolved
from tools.openapi.api import read_api
from tools.openapi.comments import in_words, paragraphs
from tools.openapi.links import LINKS
from tools.openapi.operations import reasons_of
from tools.openapi.reasons import BY_EDGE, KEYED, OWN, REASONS
from tools.stack.settings import REPOSITORY

# What no operation gives: it is for requests that are none.
OF_NO_OPERATION = {"METHOD_NOT_ALLOWED"}


def schema(name: str) -> dict[str, Any]:
    """Return a schema of the components."""
    return dict(document()["components"]["schemas"][name])


def test_it_is_openapi_3_1() -> None:
    """By the official schema, with every reference, parameter and default in it."""
    assert document()["openapi"] == "3.1.0"
    assert not list(OpenAPIV31SpecValidator(document()).iter_errors())


def test_every_schema_is_a_json_schema() -> None:
    """Their patterns, types and keywords are right; a validator would ignore what is not."""
    for found in document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(found)


def test_every_operation_is_there() -> None:
    """Each RPC with a path in REST, by its name, verb and first path."""
    wanted = {}
    for method in public_methods():
        first = method.bindings[0]
        name = method.name[0].lower() + method.name[1:]
        wanted[name] = (first.verb, first.template)
    assert places() == wanted
    assert [server["url"] for server in document()["servers"]] == ["/", "/v1"]


def test_the_same_name_is_one_thing() -> None:
    """Four kinds of status stay four."""
    names = {"Payment.Status", "Action.Status", "WebhookEndpoint.Status", "Delivery.Status"}
    assert len({json.dumps(schema(name)["enum"]) for name in names}) == len(names)


def test_requests_are_closed() -> None:
    """At every depth: what a request does not have is refused, and so it is said."""
    for described in operations().values():
        body = described.get("requestBody")
        if body:
            assert_closed(body["content"]["application/json"]["schema"])


def assert_closed(found: object) -> None:
    """Look through a schema and those that it refers to."""
    if isinstance(found, list):
        for one in found:
            assert_closed(one)
    elif isinstance(found, dict):
        if "$ref" in found:
            assert_closed(schema(found["$ref"].rpartition("/")[2]))
        assert "properties" not in found or found["additionalProperties"] is False, found
        for one in found.values():
            assert_closed(one)


def test_64_bits_are_a_string_in_replies_and_either_in_requests() -> None:
    """As proto3 JSON has it; what viewers propose is an amount, and no endless digits."""
    told = schema("Amount")["properties"]["minor_units"]
    asked = schema("AmountInput")["properties"]["minor_units"]
    assert (told["type"], asked["type"]) == ("string", ["string", "integer"])
    assert told["examples"] == asked["examples"] == ["1000"]


def test_of_a_group_one_is_given() -> None:
    """A card's details or a token, not both and not neither."""
    checks = Draft202012Validator({"oneOf": schema("AuthorizeRequest")["oneOf"]})
    given = [{"card_details": {}}, {"card_token": ""}, {"card_details": {}, "card_token": ""}, {}]
    assert [checks.is_valid(one) for one in given] == [True, True, False, False]


def test_replies_always_have_what_is_always_printed() -> None:
    """Zeros are printed; only messages that are not set are left out."""
    optional = {
        name: set(found["properties"]) - set(found.get("required", ()))
        for name, found in document()["components"]["schemas"].items()
        if found["type"] == "object" and "additionalProperties" not in found
    }
    assert {name: fields for name, fields in optional.items() if fields} == {
        "Payment": {"decline"},
        "Action": {"decline"},
        "Event": {"data"},
        "Delivery": {"last_attempt_time", "next_attempt_time"},
        "LoggedRequest": {"request", "reply"},
        "BankRule": {"active_from", "active_until"},
        "WatchEventsResponse": {"event"},
    }


def test_keys_stand_where_they_count() -> None:
    """The header is named by those that look for it, and only there a reply may be a stored one."""
    for name, described in operations().items():
        named = {"$ref": "#/components/parameters/idempotency-key"} in described.get(
            "parameters", []
        )
        told = "idempotent-replayed" in described["responses"]["200"]["headers"]
        assert named == told == (name in KEYED), name


def test_every_reply_names_its_request() -> None:
    """Errors included."""
    for name, described in operations().items():
        for status, response in described["responses"].items():
            assert "x-request-id" in resolved(response)["headers"], (name, status)


def test_every_event_is_a_webhook() -> None:
    """The very types that an endpoint may ask for."""
    assert tuple(document()["webhooks"]) == LISTED_TYPES


def test_every_reason_is_in_the_table_of_the_api() -> None:
    """With its status of HTTP; and there is none that this document does not know."""
    table = {(int(status), reason) for status, _code, reason in documented()}
    assert {key for key in table if key[1] not in OF_NO_OPERATION} == set(REASONS)


def test_every_reason_is_some_operations() -> None:
    """None is documented that nobody gets, and no operation is without its reasons."""
    api = read_api(REPOSITORY / "build" / "paygate.binpb")
    assert {operation.id for operation in api.operations} == set(OWN)
    given = [reasons_of(operation) for operation in api.operations]
    assert set().union(*given) == set(REASONS)


def test_the_edge_says_the_same() -> None:
    """What the edge answers by itself is what it is said to answer."""
    edge = REPOSITORY / "tools" / "edge"
    script = (edge / "requests.lua").read_text() + (edge / "json.lua").read_text()
    config = (REPOSITORY / "envoy.yaml").read_text()
    form = re.compile(r"code: (\d+)\n\s+message: \"(.*)\"\n\s+details:\n.*\n\s+reason: (\w+)")
    said = {(int(code), text, reason) for code, text, reason in form.findall(config)}
    for reason in BY_EDGE:
        in_script = f'"{reason.message}"' in script and f'"{reason.name}"' in script
        assert (reason.code, reason.message, reason.name) in said or in_script, reason


def test_links_begin_at_operations() -> None:
    """Where they lead, schemathesis looks; one that begins nowhere would not be in the document."""
    assert set(LINKS) <= set(operations())


def test_a_summary_is_the_name_of_the_call() -> None:
    """In words, so that a reader of the list finds it."""
    assert in_words("Void") == "Void"
    assert in_words("ListPaymentActions") == "List payment actions"


def test_a_description_has_paragraphs() -> None:
    """Lines are joined; an empty one parts them."""
    assert paragraphs(" One\n two.\n\n Three.\n") == "One two.\n\nThree."
