"""JSON is taken strictly: a service gets what every parser reads, and nothing else."""

import json
from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import Descriptor

from paygate.webhooks.v1.webhook_service_pb2 import UpdateWebhookEndpointRequest
from tests.e2e.edge import Edge, Upstream
from tests.e2e.edge_replies import (
    JSON,
    PAN,
    WITH_BODY,
    Refused,
    assert_refused,
    details,
    http,
    send,
)
from tests.e2e.strict import Binding

AUTHORIZE = next(one for one in WITH_BODY if one.path == "/authorize")
UPDATE = next(one for one in WITH_BODY if one.verb == "PATCH")
UNKNOWN = "UNKNOWN_FIELD"
EVASIONS = {
    "an unknown field": Refused('{"surprise": 1}', "surprise", UNKNOWN),
    "an unknown field of null": Refused('{"surprise": null}', "surprise", UNKNOWN),
    "deep down": Refused(
        '{"card_details": {"expiry": {"day": 1}}}', "card_details.expiry.day", UNKNOWN
    ),
    "in other letters": Refused('{"Amount": {}}', "Amount", UNKNOWN),
    "with a space": Refused('{"amount ": {}}', "?", UNKNOWN),
    "a card number for a name": Refused(f'{{"{PAN}": 1}}', "?", UNKNOWN),
    "a card number in a name": Refused(f'{{"x{PAN}": 1}}', "x" + "#" * 16, UNKNOWN),
    "a long name": Refused(f'{{"{"a" * 41}": 1}}', "?", UNKNOWN),
    "no name": Refused('{"": 1}', "?", UNKNOWN),
    "a name with an escape": Refused('{"\\u0061mount": {}}', "?", UNKNOWN),
    "twice": Refused('{"reference": "a", "reference": "b"}', "reference"),
    "twice the same": Refused('{"reference": "a", "reference": "a"}', "reference"),
    "twice, once of null": Refused('{"reference": null, "reference": "a"}', "reference"),
    "twice, spelled two ways": Refused(
        '{"amount": {"minor_units": 1, "minorUnits": 2}}', "amount.minor_units"
    ),
    "twice, at the top, spelled two ways": Refused(
        '{"cardDetails": {}, "card_details": {}}', "card_details"
    ),
    "both of what excludes each other": Refused(
        '{"card_details": {}, "card_token": "tok_1"}', "card_token"
    ),
    "a number for a string": Refused('{"reference": 1}', "reference"),
    "a string for a message": Refused(f'{{"amount": "{PAN}"}}', "amount"),
    "a list for a message": Refused('{"amount": []}', "amount"),
    "a list for a string": Refused('{"reference": ["a"]}', "reference"),
    "a message for a string": Refused('{"reference": {}}', "reference"),
    "true for a string": Refused('{"reference": true}', "reference"),
    "half a unit": Refused('{"amount": {"minor_units": 12.5}}', "amount.minor_units"),
    "a unit with a point": Refused('{"amount": {"minor_units": 12.0}}', "amount.minor_units"),
    "an exponent": Refused('{"amount": {"minor_units": 1e3}}', "amount.minor_units"),
    "an exponent as a string": Refused('{"amount": {"minor_units": "1e3"}}', "amount.minor_units"),
    "text for a number": Refused(
        f'{{"amount": {{"minor_units": "{PAN}x"}}}}', "amount.minor_units"
    ),
    "nothing for a number": Refused('{"amount": {"minor_units": ""}}', "amount.minor_units"),
    "a space before a number": Refused('{"amount": {"minor_units": " 1"}}', "amount.minor_units"),
    "a leading zero": Refused('{"amount": {"minor_units": 01}}', "amount.minor_units"),
    "a plus": Refused('{"amount": {"minor_units": +1}}', "amount.minor_units"),
    "hexadecimal": Refused('{"amount": {"minor_units": 0x10}}', "amount.minor_units"),
    "not a number": Refused('{"amount": {"minor_units": NaN}}', "amount.minor_units"),
    "more than 64 bits": Refused(
        '{"amount": {"minor_units": 9223372036854775808}}', "amount.minor_units"
    ),
    "less than 64 bits": Refused(
        '{"amount": {"minor_units": "-9223372036854775809"}}', "amount.minor_units"
    ),
    "more than 32 bits": Refused(
        '{"card_details": {"expiry": {"month": 2147483648}}}', "card_details.expiry.month"
    ),
    "single quotes": Refused("{'reference': 'a'}"),
    "single quotes for a value": Refused("{\"reference\": 'a'}"),
    "a bare name": Refused('{reference: "a"}'),
    "a bare value": Refused('{"reference": abc}', "reference"),
    "a comma at the end": Refused('{"reference": "a",}'),
    "a comma at the beginning": Refused('{,"reference": "a"}'),
    "two commas": Refused('{"reference": "a",,"amount": {}}'),
    "no comma": Refused('{"reference": "a" "amount": {}}'),
    "no colon": Refused('{"reference" "a"}'),
    "no value": Refused('{"reference": }'),
    "a comment": Refused('{/**/"reference": "a"}'),
    "a comment at the end": Refused('{"reference": "a"} // x'),
    "a form feed for a space": Refused('{\f"reference": "a"}'),
    "a no-break space for a space": Refused('{\u00a0"reference": "a"}'),
    "a byte order mark": Refused('\ufeff{"reference": "a"}'),
    "UTF-16": Refused('{"reference": "a"}'.encode("utf-16")),
    "NUL as an escape": Refused('{"reference": "a\\u0000b"}'),
    "NUL as a byte": Refused(b'{"reference": "a\0b"}'),
    "NUL between": Refused(b'{\0"reference": "a"}'),
    "NUL after": Refused(b'{"reference": "a"}\0'),
    "a line break in a string": Refused('{"reference": "a\nb"}'),
    "an unknown escape": Refused('{"reference": "\\x41"}'),
    "half an escape": Refused('{"reference": "\\u00"}'),
    "a lone surrogate": Refused('{"reference": "\\ud800"}'),
    "a lone low surrogate": Refused('{"reference": "\\udc00"}'),
    "two low surrogates": Refused('{"reference": "\\udc00\\udc00"}'),
    "a surrogate with no low one": Refused('{"reference": "\\ud800\\u0041"}'),
    "an encoded surrogate": Refused(b'{"reference": "\xed\xa0\x80"}'),
    "an overlong slash": Refused(b'{"reference": "\xc0\xaf"}'),
    "an overlong character": Refused(b'{"reference": "\xe0\x80\xaf"}'),
    "beyond Unicode": Refused(b'{"reference": "\xf4\x90\x80\x80"}'),
    "a cut character": Refused(b'{"reference": "\xe2\x82"}'),
    "Latin-1": Refused(b'{"reference": "\xe9"}'),
    "nothing": Refused(""),
    "spaces": Refused("  \n"),
    "a list": Refused(f"[{PAN}]"),
    "a string": Refused(f'"{PAN}"'),
    "null": Refused("null"),
    "an end too early": Refused('{"amount": {"minor_units": 1'),
    "an end in a string": Refused(f'{{"reference": "{PAN}'),
    "an end in an escape": Refused('{"reference": "\\'),
    "one brace more": Refused('{"reference": "a"}}'),
    "one object more": Refused('{"reference": "a"}{}'),
    "something after it": Refused(f'{{"reference": "a"}} {PAN}'),
    "the wrong bracket": Refused('{"amount": {]}'),
    "lists in lists": Refused('{"reference": ' + "[" * 20_000 + "]" * 20_000 + "}", "reference"),
    "objects in objects": Refused(
        '{"amount":' * 5_000 + "1" + "}" * 5_000, "amount.amount", UNKNOWN
    ),
}


@pytest.mark.parametrize("case", EVASIONS.values(), ids=EVASIONS.keys())
def test_what_is_not_strict_json_is_refused(edge: Edge, upstream: Upstream, case: Refused) -> None:
    """An error says what is wrong, names the field if there is one, and repeats nothing."""
    before = len(upstream.calls)
    assert_refused(edge, AUTHORIZE, case)
    assert len(upstream.calls) == before


@pytest.mark.parametrize(
    "case",
    [
        Refused('{"event_types": {"types": ["a", null]}}', "event_types.types[1]"),
        Refused('{"event_types": {"types": ["a", 1]}}', "event_types.types[1]"),
        Refused('{"event_types": {"types": ["a",]}}'),
        Refused('{"event_types": {"types": "a"}}', "event_types.types"),
        Refused('{"eventTypes": {"types": ["a" "b"]}}'),
        Refused('{"event_types": ["a", null]}', "event_types[1]"),
        Refused('{"event_types": ["a", ["b"]]}', "event_types[1]"),
        Refused('{"event_types": [{"types": []}]}', "event_types[0]"),
        Refused('{"event_types": "a"}', "event_types"),
        Refused('{"event_types": ["a"], "eventTypes": {"types": []}}', "event_types"),
        Refused('{"event_types": {"kinds": []}}', "event_types.kinds", UNKNOWN),
        Refused('{"status": "STATUS_NEW"}', "status"),
        Refused('{"status": "1"}', "status"),
        Refused('{"status": "status_enabled"}', "status"),
        Refused('{"status": 1.5}', "status"),
        Refused('{"id": "another"}', "id"),
        Refused('{"id": null}', "id"),
    ],
    ids=lambda case: case.body,
)
def test_lists_enums_and_fields_of_the_path_are_strict(edge: Edge, case: Refused) -> None:
    """An element is named by its place, and what the path gives is given nowhere else."""
    assert_refused(edge, UPDATE, case)


@pytest.mark.parametrize(
    "written",
    ['["payment.voided", "a\\"]}"]', ' [ "payment.voided" , "b" ] ', "[]", '["é"]'],
)
def test_a_message_that_is_a_list_may_be_written_as_the_list(
    edge: Edge, upstream: Upstream, written: str
) -> None:
    """`event_types` is written in one way wherever it is; the older one stays."""
    for body in (
        f'{{"description":"[","event_types":{written},"status":"STATUS_ENABLED"}}',
        f'{{"event_types":{{"types":{written}}},"status":"STATUS_ENABLED","description":"["}}',
        f'{{"status":"STATUS_ENABLED","description":"[","eventTypes":{written}}}',
    ):
        assert send(edge, UPDATE, body).status == 200

    requests = [UpdateWebhookEndpointRequest.FromString(call.body) for call in upstream.calls[-3:]]
    assert requests[0] == requests[1] == requests[2]
    assert requests[0].HasField("event_types")
    assert list(requests[0].event_types.types) == json.loads(written)


def messages_in(message: Descriptor, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Return the path to each message in a request, itself first."""
    yield path
    for field in message.fields:
        inner = field.message_type
        if inner and not inner.full_name.startswith("google.protobuf.") and not field.is_repeated:
            yield from messages_in(inner, (*path, field.name))


@pytest.mark.parametrize("binding", WITH_BODY, ids=str)
def test_every_path_is_strict_at_every_depth(edge: Edge, binding: Binding) -> None:
    """No body of any method has room for an unknown field, in any message of it."""
    for path in messages_in(binding.request):
        body = "".join(f'{{"{name}": ' for name in path) + '{"surprise": 1}' + "}" * len(path)
        assert_refused(edge, binding, Refused(body, ".".join([*path, "surprise"]), UNKNOWN))
    assert send(edge, binding, "{}").status == 200


@pytest.mark.parametrize(
    ("verb", "path", "body", "has"),
    [
        (
            "POST",
            "/capture",
            '{"payment_id": "pay_a"}',
            "it has amount, authorization_id, final, reference",
        ),
        ("POST", "/authorize", '{"amount": {"value": 1}}', "here it has currency, minor_units"),
        (
            "PATCH",
            "/webhook-endpoints/we_a",
            '{"name": ""}',
            "it has description, event_types, status, url",
        ),
    ],
    ids=["a body", "an object in it", "an id in the path"],
)
def test_an_unknown_field_is_told_what_there_is(
    edge: Edge, verb: str, path: str, body: str, has: str
) -> None:
    """By the names in the proto; what stands in the path is not among them."""
    reply = http.request(verb, edge.url + path, body=body, headers=JSON)
    (violation,) = reply.json()["details"][1]["field_violations"]
    assert violation["description"] == f"is not a field of this request; {has}"


@pytest.mark.parametrize("binding", WITH_BODY, ids=str)
def test_every_path_takes_json_only(edge: Edge, binding: Binding) -> None:
    """A body of another type, or of none, is refused as such; so is a query beside a body."""
    for content_type in ("text/plain", "application/json5", "application/x-www-form-urlencoded"):
        headers = {"content-type": content_type}
        reply = http.request(binding.verb, edge.url + binding.url, body=b"{}", headers=headers)
        assert (reply.status, details(reply)[0]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    for query in ("?", f"?reference={PAN}"):
        reply = http.request(binding.verb, edge.url + binding.url + query, body=b"{}", headers=JSON)
        assert (reply.status, details(reply)) == (400, ("MALFORMED_REQUEST", []))


DURATIONS = ("5", "5m", "1.s", "0.1234567890s", "315576000001s", "")


@pytest.mark.parametrize("text", DURATIONS)
def test_a_duration_that_is_none_names_its_field(edge: Edge, text: str) -> None:
    """The error says which field it is, as for all others."""
    body = json.dumps({"by": text})
    reply = http.request("POST", f"{edge.url}/sandbox/clock/advance", body=body, headers=JSON)
    assert (reply.status, details(reply)) == (400, ("MALFORMED_REQUEST", ["by"]))


@pytest.mark.parametrize("path", ["/sandbox/reset", "/v1/sandbox/drain", "/events/evt_a/redeliver"])
@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain"])
def test_no_body_is_an_empty_message_where_nothing_is_required(
    edge: Edge, upstream: Upstream, path: str, content_type: str | None
) -> None:
    """`curl -X POST` alone will do, whatever type it gives to nothing."""
    before = len(upstream.calls)
    headers = {"content-type": content_type} if content_type else {}
    assert http.request("POST", edge.url + path, headers=headers).status == 200
    assert len(upstream.calls) == before + 1


@pytest.mark.parametrize("path", ["/void", "/authorize"])
def test_no_body_is_refused_where_something_is_required(edge: Edge, path: str) -> None:
    """An error says that there was none."""
    reply = http.request("POST", edge.url + path, headers=JSON)
    assert (reply.status, details(reply)) == (400, ("MALFORMED_REQUEST", []))


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity"])
@pytest.mark.parametrize(("verb", "path"), [("POST", "/void"), ("GET", "/payments")])
def test_an_encoded_body_is_refused(edge: Edge, verb: str, path: str, encoding: str) -> None:
    """Nothing reads it: neither is it taken for JSON, nor is the header passed over."""
    headers = {**JSON, "content-encoding": encoding}
    body = b"{}" if verb == "POST" else None
    reply = http.request(verb, edge.url + path, body=body, headers=headers)
    assert (reply.status, details(reply)[0]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    assert "content-encoding" in reply.json()["message"]
    assert reply.headers["accept-encoding"] == "identity"  # what would do instead
