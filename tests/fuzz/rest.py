"""Requests over REST, as the descriptors want them, and the connection that they go over."""

import contextlib
import http.client
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2  # noqa: F401 - lets json_format read details of errors
from google.rpc.status_pb2 import Status

from tests.fuzz import json_odd
from tests.fuzz.api import Method
from tests.fuzz.case import CODES, Lane, Reply, reason_of

SECONDS_MAX = 15.0


@dataclass
class HttpCase:
    """One request of HTTP/1.1; `request` is what it says, while nobody has touched it."""

    method: Method
    request: Message | None
    verb: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes | None
    connection: "Connection" = field(repr=False)
    kind: str = "rest"
    oversized: bool = False  # over HTTP/1.1 there is an answer, whatever it is

    @property
    def hurried(self) -> bool:
        """Whether it asks for an answer sooner than one can be had."""
        return any(name == "grpc-timeout" for name, _ in self.headers)

    def send(self) -> Reply:
        """Send it on the lane's connection."""
        status, headers, body = self.connection.exchange(self)
        found = [(name.lower(), value) for name, value in headers]
        if status != 200:
            return _refusal(status, found, body)
        message = None
        if self.request is not None:
            message = json_format.Parse(body, self.method.response())
        return Reply(http_status=200, code="OK", headers=found, body=body, message=message)

    def shown(self) -> str:
        """Return the request as it is sent."""
        return f"{self.verb} {self.target!r} {self.headers!r} {self.body!r}"


class Connection:
    """One kept connection, made anew whenever it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open = self._new()

    def exchange(self, case: HttpCase) -> tuple[int, list[tuple[str, str]], bytes]:
        """Return status, headers and body; the status is 0 if even a new connection is cut."""
        for _ in range(2):
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self._once(case)
            self._open.close()
            self._open = self._new()
        return 0, [], b""

    def close(self) -> None:
        """Close it."""
        self._open.close()

    def _once(self, case: HttpCase) -> tuple[int, list[tuple[str, str]], bytes]:
        self._open.putrequest(case.verb, case.target, skip_host=True, skip_accept_encoding=True)
        if not any(name == "host" for name, _ in case.headers):
            self._open.putheader("host", f"127.0.0.1:{self._port}")
        for name, value in case.headers:
            self._open.putheader(name, value)
        if case.body is not None:
            self._open.putheader("content-length", str(len(case.body)))
        # What the edge refuses before it has read all of it is answered all the same.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._open.endheaders(case.body)
        got = self._open.getresponse()
        return got.status, got.getheaders(), got.read()

    def _new(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self._port, timeout=SECONDS_MAX)


def plain(
    lane: Lane, connection: Connection, method: Method, request: Message, *, odd: float
) -> HttpCase:
    """Return the request as documented, under any of its paths."""
    random = lane.random
    binding = random.choice(method.bindings)
    try:
        fields: dict[str, Any] = json_format.MessageToDict(
            request, preserving_proto_field_name=random.random() < 0.8
        )
    except (ValueError, json_format.Error):  # a time that no JSON can say
        fields = {}
    target = binding.template
    for name in [name for name in fields if f"{{{name}}}" in target]:
        target = target.replace(f"{{{name}}}", quote(str(fields.pop(name)), safe=""))
    is_whole = "{" not in target
    target = re.sub(r"\{[a-z_]+\}", "", target)  # without its id it is another method's path
    headers = [("authorization", value) for value in lane.authorization(method, odd=odd)]
    if random.random() < 0.5:
        headers.append(("idempotency-key", lane.idempotency_key()))
    body = None
    if binding.has_body:
        body = json_odd.dumped(fields)
        headers.append(("content-type", "application/json"))
    elif fields:
        target += "?" + urlencode(list(_flat("", fields)))
    said = request if is_whole else None
    return HttpCase(method, said, binding.verb, target, headers, body, connection)


def _flat(prefix: str, fields: dict[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in fields.items():
        if isinstance(value, dict):
            found += _flat(f"{prefix}{name}.", value)
        else:
            for one in value if isinstance(value, list) else [value]:
                text = str(one).lower() if isinstance(one, bool) else str(one)
                found.append((prefix + name, text))
    return found


def _refusal(status: int, headers: list[tuple[str, str]], body: bytes) -> Reply:
    error = None
    with contextlib.suppress(json_format.ParseError, UnicodeDecodeError):
        error = json_format.Parse(body, Status()) if body else None
    return Reply(
        http_status=status,
        code=CODES.get(error.code, str(error.code)) if error else f"HTTP {status}",
        reason=reason_of(error) if error else "",
        error=error,
        headers=headers,
        body=body,
    )
