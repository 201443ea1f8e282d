"""Steps that speak of HTTP and JSON as they are."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_bdd import parsers, then, when

from tests.e2e.clients import RestClient
from tests.e2e.rpcs import RPCS
from tests.e2e.steps.story import Story

TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6}|\.\d{9})?Z")
RESPONSES = {rpc.path: rpc.response for rpc in RPCS.values() if rpc.method == "POST"}


@when(parsers.re(r'I POST to (?P<path>\S+)(?: with the key "(?P<key>[^"]*)")?'))
def post(story: Story, client: RestClient, path: str, key: str | None, docstring: str) -> None:
    """Send this very JSON."""
    headers = [*story.credentials, *([story.key(key)] if key else [])]
    response = RESPONSES[path.removeprefix("/v1")]
    body = filled(story, docstring).encode()
    story.remember([client.send("POST", path, body, headers, response)])


@when(parsers.re(r"I GET (?P<path>\S+)"))
def get(story: Story, client: RestClient, path: str) -> None:
    """Ask for this very path."""
    story.remember([client.send("GET", filled(story, path), b"", story.credentials)])


@when(parsers.re(r"I GET (?P<path>\S+) with and without /v1"))
def get_both(story: Story, client: RestClient, path: str) -> None:
    """Ask for this path in both forms."""
    paths = [filled(story, prefix + path) for prefix in ("", "/v1")]
    story.remember([client.send("GET", one, b"", story.credentials) for one in paths])


@then(parsers.parse("the reply is {status:d} with this JSON"))
def is_json(story: Story, status: int, docstring: str) -> None:
    """This is all there is; `…` stands for any text, `<time>` for a time."""
    assert story.answer.http_status == status, story.answer.body
    expected = json.loads(filled(story, docstring))
    assert list(differences(expected, json.loads(story.answer.body), whole=True)) == []


@then(parsers.parse("the reply is {status:d}, and holds in it"))
def holds_json(story: Story, status: int, docstring: str) -> None:
    """This is there, with other things perhaps."""
    assert story.answer.http_status == status, story.answer.body
    expected = json.loads(filled(story, docstring))
    assert list(differences(expected, json.loads(story.answer.body), whole=False)) == []


@then("it is sent as application/json, and says nothing of gRPC")
def is_application_json(story: Story) -> None:
    """The transcoder leaves no trace."""
    headers = story.answer.headers
    assert headers["content-type"] == "application/json"
    assert [name for name in headers if "grpc" in name or "envoy" in name] == []


@then("both replies are 200 and the same, byte for byte")
def both_same(story: Story) -> None:
    """The two forms are one path."""
    one, other = story.answers
    assert one.http_status == other.http_status == 200
    assert one.body == other.body


def filled(story: Story, text: str) -> str:
    """Return the text with the payment's id in its place."""
    return text.replace("<id>", story.payment.id)


def differences(expected: Any, got: Any, *, whole: bool, path: str = "") -> Iterator[str]:
    """Return where the JSON is not as expected; `whole`: nor has anything else in it."""
    if isinstance(expected, dict) and isinstance(got, dict):
        yield from _differences_of_objects(expected, got, whole=whole, path=path)
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for place, (one, other) in enumerate(zip(expected, got, strict=True)):
            yield from differences(one, other, whole=whole, path=f"{path}[{place}]")
    elif not _same(expected, got):
        yield f"{path}: {got!r} instead of {expected!r}"


def _differences_of_objects(
    expected: Mapping[str, Any], got: Mapping[str, Any], *, whole: bool, path: str
) -> Iterator[str]:
    for name in expected.keys() - got.keys():
        yield f"{path}.{name} is missing"
    for name in (got.keys() - expected.keys()) if whole else ():
        yield f"{path}.{name} should not be there"
    for name in expected.keys() & got.keys():
        yield from differences(expected[name], got[name], whole=whole, path=f"{path}.{name}")


def _same(expected: object, got: object) -> bool:
    if isinstance(expected, str) and isinstance(got, str):
        if expected == "<time>":
            return TIME.fullmatch(got) is not None
        if expected.endswith("…"):
            return got.startswith(expected[:-1]) and len(got) >= len(expected)
    # 1 == True in Python but not in JSON.
    return type(expected) is type(got) and expected == got
