"""Requests to the edge of the running stack, and what each of its replies has."""

from dataclasses import dataclass, field

import urllib3

from tests.e2e.stack import Stack


@dataclass(frozen=True)
class Case:
    """A request to the edge, and how it is answered."""

    status: int
    reason: str
    path: str
    method: str = "GET"
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def request(stack: Stack, case: Case) -> urllib3.BaseHTTPResponse:
    """Send the case's request, with the demo merchant's key."""
    return urllib3.request(
        case.method,
        stack.url + case.path,
        body=case.body,
        headers={"authorization": f"Bearer {stack.api_key}", **case.headers},
        retries=False,
        timeout=10.0,
    )


def assert_for_json_clients(reply: urllib3.BaseHTTPResponse) -> None:
    """Check what every JSON reply has: its type, one request id, nothing of gRPC or Envoy."""
    assert reply.headers["content-type"] == "application/json"
    assert len(reply.headers.getlist("x-request-id")) == 1
    names = {name.lower() for name in reply.headers}
    assert not {name for name in names if name.startswith(("grpc-", "x-envoy-"))}
