"""The request log's own requests and replies: calls are shown as JSON, as REST shows them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.struct_pb2 import Struct

# Also lets json_format read the details of errors.
from google.rpc import error_details_pb2  # noqa: F401
from google.rpc.status_pb2 import Status

from paygate.payments.v1 import payment_service_pb2 as payments
from paygate.sandbox.v1 import sandbox_service_pb2 as pb
from paygate.webhooks.v1 import webhook_service_pb2 as hooks
from pkg.grpc.calls import NOT_LOGGED
from pkg.grpc.logged.entries import shown_text
from pkg.grpc.logged.redaction import hidden_in
from pkg.grpc.messages import time_fields
from pkg.grpc.refusals import HTTP_STATUSES
from pkg.grpc.validation import Checks, one_of
from pkg.ids import is_id
from services.payments.domain.errors import RequestNotFoundError
from services.payments.logged import LoggedRequest, RequestFilter

_Types = Mapping[tuple[str, str], tuple[type[Message], type[Message]]]

OMITTED = "omitted"
_EPOCH = datetime.fromtimestamp(0, UTC)


def _types() -> _Types:
    """Return the messages of each method whose calls are logged."""
    services = (
        payments.DESCRIPTOR.services_by_name["PaymentService"],
        hooks.DESCRIPTOR.services_by_name["WebhookService"],
        pb.DESCRIPTOR.services_by_name["SandboxService"],
    )
    return {
        (service.full_name, method.name): (
            GetMessageClass(method.input_type),
            GetMessageClass(method.output_type),
        )
        for service in services
        for method in service.methods
    }


_TYPES = _types()
METHODS = sorted(method for service, method in _TYPES if f"/{service}/{method}" not in NOT_LOGGED)
_HTTP: Mapping[str, int] = {code.name: status for code, status in HTTP_STATUSES.items()}


def filter_of(request: pb.ListRequestsRequest) -> tuple[RequestFilter, int]:
    """Return the filter and the size of the page."""
    checks = Checks()
    size = checks.page_size(request.page_size)
    checks.no_empty_filter(request, "payment_id", "idempotency_key", "method")
    if request.payment_id and not is_id("pay", request.payment_id):
        checks.add("payment_id", "must be the id of a payment")
    if request.method and request.method not in METHODS:
        checks.add("method", one_of(METHODS))
    key = checks.text("idempotency_key", request.idempotency_key)
    checks.end()
    wanted = RequestFilter(
        failed=request.failed,
        payment_id=request.payment_id,
        idempotency_key=shown_text(key),
        method=request.method,
    )
    return wanted, size


def request_id_of(request: pb.GetRequestRequest) -> str:
    """Return the id as the log holds it, or raise RequestNotFoundError where it can be none."""
    checks = Checks()
    checks.text("id", request.id)
    if checks.violations:
        raise RequestNotFoundError
    return hidden_in(request.id)


def encode_request(one: LoggedRequest) -> pb.LoggedRequest:
    """Return a call as clients see it."""
    seconds, microseconds = divmod(one.microseconds, 1_000_000)
    shown = pb.LoggedRequest(
        id=one.id,
        create_time=time_fields(_EPOCH + timedelta(microseconds=one.began)),
        method=one.method,
        service=one.service,
        code=one.code,
        http_status=_HTTP.get(one.code, 500),
        reason=one.reason,
        duration=Duration(seconds=seconds, nanos=microseconds * 1_000),
        idempotency_key=one.idempotency_key,
        replayed=one.replayed,
        payment_id=one.payment_id,
        key_id=one.key_id,
        rest=one.rest,
    )
    request_type, reply_type = _TYPES.get((one.service, one.method), (None, None))
    # Who hangs up has no error and no OK, and the reply that was not waited for.
    told = Status if one.reason else reply_type
    _show(shown.request, request_type, one.request, one.request_bytes, zeros=False)
    _show(shown.reply, told, one.reply, one.reply_bytes, zeros=True)
    return shown


def _show(
    struct: Struct, message: type[Message] | None, data: bytes | None, size: int, *, zeros: bool
) -> None:
    """Show a message as JSON; nothing if there was none."""
    if data is not None and message is not None:
        struct.SetInParent()
        struct.update(_fields(message, data, zeros=zeros))
    elif size:
        struct[OMITTED] = f"It has {size} bytes, which is too much for the log."


def _fields(message: type[Message], data: bytes, *, zeros: bool) -> Mapping[str, Any]:
    try:
        return json_format.MessageToDict(
            message.FromString(data),
            preserving_proto_field_name=True,
            always_print_fields_with_no_presence=zeros,
        )
    except (DecodeError, json_format.Error, ValueError, OverflowError):
        # Times beyond the year 9999, say, that a client of gRPC may send and that get refused.
        return {OMITTED: "It holds values that JSON has no form for."}
