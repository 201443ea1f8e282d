"""Requests to the edge alone, and what it says of those that it refuses."""

import json
from dataclasses import dataclass

import urllib3

from tests.e2e.edge import Edge
from tests.e2e.strict import Binding, bindings

JSON = {"content-type": "application/json"}
PAN = "4242424242424242"
# What a browser may have of all that runs on one machine: 20 kB.
COOKIES = "; ".join(f"session{number}={'c' * 180}" for number in range(105))
WITH_BODY = [binding for binding in bindings() if binding.has_body]

http = urllib3.PoolManager(retries=False, timeout=10.0)


@dataclass(frozen=True)
class Refused:
    """A body that is refused, and what the error says.

    Attributes:
        field: The only violation's; None for an error without one.
    """

    body: str | bytes
    field: str | None = None
    reason: str = "MALFORMED_REQUEST"


def send(edge: Edge, binding: Binding, body: str | bytes) -> urllib3.BaseHTTPResponse:
    """Send a body to a path."""
    raw = body.encode() if isinstance(body, str) else body
    return http.request(binding.verb, edge.url + binding.url, body=raw, headers=JSON)


def details(reply: urllib3.BaseHTTPResponse) -> tuple[str, list[str]]:
    """Return the reason of an error and the fields that it names."""
    info, *others = json.loads(reply.data)["details"]
    assert info["domain"] == "paygate"
    violations = [one for bad in others for one in bad["field_violations"]]
    assert all(one["description"] and one["reason"] == "" for one in violations)
    return info["reason"], [one["field"] for one in violations]


def assert_refused(edge: Edge, binding: Binding, case: Refused) -> None:
    """Check that a body is refused as the case says, and that nothing of it comes back."""
    reply = send(edge, binding, case.body)
    assert reply.status == 400, reply.data
    assert reply.headers["content-type"] == "application/json"
    assert len(reply.headers.getlist("x-request-id")) == 1
    assert details(reply) == (case.reason, [] if case.field is None else [case.field])
    assert reply.json()["code"] == 3
    # By the script, and not by the transcoder behind it.
    assert reply.json()["message"].startswith(("The body ", "The request is not valid."))
    assert PAN not in reply.data.decode()
