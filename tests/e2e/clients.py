"""A client of the API in two protocols; what comes back has one form, so that tests compare it."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self, cast
from urllib.parse import quote, urlencode

import grpc
import urllib3
from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import error_details_pb2  # also lets json_format read the details of errors
from google.rpc.status_pb2 import Status

from paygate.payments.v1.payment_pb2 import Action, Payment
from tests.e2e.rpcs import RPCS

CALL_SECONDS_MAX = 10.0

Headers = Sequence[tuple[str, str]]
_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A reply or an error, the same for both protocols.

    Attributes:
        code: The gRPC status; over REST the one that the body of an error names.
        http_status: None over gRPC.
        message: The response; None for an error.
        error: None for a response.
        body: The very bytes that came: JSON, or a serialised message or google.rpc.Status.
        headers: Of HTTP, or gRPC's metadata before and after the message; names in lower case.
    """

    code: grpc.StatusCode
    http_status: int | None = None
    message: Message | None = None
    error: Status | None = None
    body: bytes
    headers: dict[str, str]

    @property
    def action(self) -> Action:
        """The action of a reply that has one."""
        return cast("Action", self._of_reply("action"))

    @property
    def payment(self) -> Payment:
        """The payment of a reply that has one."""
        return cast("Payment", self._of_reply("payment"))

    @property
    def is_replayed(self) -> bool:
        """Whether it is the stored reply of an earlier request."""
        return self.headers.get("idempotent-replayed") == "true"

    @property
    def info(self) -> error_details_pb2.ErrorInfo:
        """The ErrorInfo of an error."""
        assert self.error is not None, f"no error but {self.body!r}"
        found = error_details_pb2.ErrorInfo()
        assert any(detail.Unpack(found) for detail in self.error.details), self.error
        return found

    @property
    def violations(self) -> dict[str, str]:
        """What an error says is wrong, by the field's path in the request."""
        assert self.error is not None, f"no error but {self.body!r}"
        bad = error_details_pb2.BadRequest()
        any(detail.Unpack(bad) for detail in self.error.details)
        return {violation.field: violation.description for violation in bad.field_violations}

    def _of_reply(self, name: str) -> Message:
        assert self.message is not None, f"no reply but {self.error}"
        assert self.message.HasField(name)
        return cast("Message", getattr(self.message, name))


class Client(Protocol):
    """Calls the API."""

    name: str

    def call(self, rpc: str, request: Message, headers: Headers) -> Answer:
        """Send a request, `headers` being those of HTTP or the metadata."""


class _BytesChannel:
    """A channel whose stubs return the bytes that came, and not a message made of them."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: object = None,
        **options: Any,
    ) -> Any:
        """Do what a channel does, without the deserializer."""
        return self._channel.unary_unary(method, request_serializer, None, **options)

    def unary_stream(self, *_: Any, **__: Any) -> None:
        """Make nothing: stubs are made of all methods, and nothing here calls these."""


class GrpcClient:
    """The generated stub on a blocking channel."""

    name = "gRPC"

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)
        bytes_channel = cast("grpc.Channel", _BytesChannel(self._channel))
        self._stubs = {stub: stub(bytes_channel) for stub in {rpc.stub for rpc in RPCS.values()}}

    def call(self, rpc: str, request: Message, headers: Headers) -> Answer:
        """Send a request."""
        method = getattr(self._stubs[RPCS[rpc].stub], rpc)
        return self._answer(method, request, headers, RPCS[rpc].response)

    def send(self, method: str, body: bytes, headers: Headers) -> Answer:
        """Send any bytes to any method (`/package.Service/Method`)."""
        callable_: Any = self._channel.unary_unary(method)
        return self._answer(callable_, body, headers, None)

    def _answer(
        self, callable_: Any, request: object, headers: Headers, response: type[Message] | None
    ) -> Answer:
        try:
            body, call = callable_.with_call(request, metadata=headers, timeout=CALL_SECONDS_MAX)
        except grpc.RpcError as error:
            return _grpc_error(cast("grpc.Call", error))
        message = None if response is None else response.FromString(body)
        return Answer(code=grpc.StatusCode.OK, message=message, body=body, headers=_metadata(call))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._channel.close()


class RestClient:
    """JSON over HTTP/1.1."""

    name = "REST"

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(maxsize=4, retries=False, timeout=CALL_SECONDS_MAX)

    def call(self, rpc: str, request: Message, headers: Headers) -> Answer:
        """Send a request in the form of the documentation: snake_case, int64 as strings."""
        method, path = RPCS[rpc].method, RPCS[rpc].path
        fields = json_format.MessageToDict(request, preserving_proto_field_name=True)
        body = b""
        for name in re.findall(r"{(\w+)}", path):
            path = path.replace(f"{{{name}}}", quote(fields.pop(name, ""), safe=""))
        if method in {"POST", "PATCH"}:
            body = json.dumps(fields).encode()
        else:
            asked = {name: _queried(fields[name]) for name in fields}
            path = f"{path}?{urlencode(asked, quote_via=quote)}"
        return self.send(method, path.removesuffix("?"), body, headers, RPCS[rpc].response)

    def send(
        self,
        method: str,
        path: str,
        body: bytes,
        headers: Headers,
        response: type[Message] | None = None,
    ) -> Answer:
        """Send any body to any path; without a `response` to read, there are only its bytes."""
        names = [("content-type", "application/json"), *headers] if body else list(headers)
        got = self._pool.request(
            method, self._url + path, body=body or None, headers=urllib3.HTTPHeaderDict(names)
        )
        error = message = None
        if got.status != 200:
            error = json_format.Parse(got.data, Status())
        elif response is not None:
            message = json_format.Parse(got.data, response())
        return Answer(
            code=_CODES[error.code] if error else grpc.StatusCode.OK,
            http_status=got.status,
            message=message,
            error=error,
            body=got.data,
            headers={name.lower(): value for name, value in got.headers.items()},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._pool.clear()


def _grpc_error(call: grpc.Call) -> Answer:
    metadata = _metadata(call)
    body = metadata.pop("grpc-status-details-bin", "").encode("latin-1")
    status = Status.FromString(body)
    code = call.code()
    if body:
        assert (status.code, status.message) == (code.value[0], call.details())
    return Answer(code=code, error=status, body=body, headers=metadata)


def _metadata(call: grpc.Call) -> dict[str, str]:
    """Return all metadata as text; bytes keep their values as Latin-1."""
    pairs: Any = (*(call.initial_metadata() or ()), *(call.trailing_metadata() or ()))
    return {
        name: value.decode("latin-1") if isinstance(value, bytes) else value
        for name, value in pairs
    }


def _queried(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
