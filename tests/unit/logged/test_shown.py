"""Calls of the request log are shown as JSON, whatever was sent."""

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from paygate.payments.v1 import payment_service_pb2 as payments
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from services.payments.api.logged import encode_request, request_id_of
from services.payments.domain.errors import RequestNotFoundError
from services.payments.logged import LoggedRequest

FARTHEST = 2**63 - 1


def shown(
    method: str, request: bytes | None, size: int = 0, *, reply: bytes | None = None
) -> sandbox.LoggedRequest:
    """Return a call of a method that nobody waited for, as clients see it."""
    service, _, name = method.partition("/")
    call = LoggedRequest(
        id="id",
        began=1_000_001,
        service=service,
        method=name,
        code="CANCELLED",
        reason="",
        microseconds=2_000_003,
        idempotency_key="",
        replayed=False,
        payment_id="",
        key_id="",
        rest=False,
        request=request,
        request_bytes=size,
        reply=reply,
        reply_bytes=0,
    )
    return encode_request(call)


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        (
            "paygate.sandbox.v1.SandboxService/AdvanceClock",
            sandbox.AdvanceClockRequest(by=Duration(seconds=FARTHEST, nanos=-1)),
        ),
        (
            "paygate.payments.v1.PaymentService/ListPayments",
            payments.ListPaymentsRequest(
                created_after=Timestamp(seconds=FARTHEST, nanos=2**31 - 1)
            ),
        ),
    ],
)
def test_what_json_has_no_form_for_is_left_out(method: str, request_: Message) -> None:
    """A client of gRPC may send times that there are not; the list goes on."""
    call = shown(method, request_.SerializeToString())
    assert dict(call.request) == {"omitted": "It holds values that JSON has no form for."}


def test_sizes_are_told_and_nothing_is_shown_of_nothing() -> None:
    """What was too large, what could not be read, and a method that is no more."""
    method = "paygate.payments.v1.PaymentService/Capture"
    assert "9000 bytes" in str(dict(shown(method, None, 9000).request)["omitted"])
    assert not shown(method, None).HasField("request")
    assert not shown("paygate.payments.v1.PaymentService/Gone", b"").HasField("request")
    assert shown(method, b"").HasField("request")


def test_a_reply_that_nobody_waited_for_is_shown() -> None:
    """The call was carried out, and is neither OK nor refused. Broken bytes are left out."""
    method = "paygate.payments.v1.PaymentService/ListPayments"
    reply = payments.ListPaymentsResponse(next_page_token="next").SerializeToString()
    assert dict(shown(method, b"", reply=reply).reply)["next_page_token"] == "next"
    assert set(dict(shown(method, b"", reply=b"\xff").reply)) == {"omitted"}


@pytest.mark.parametrize("odd", ["a\0", "x" * 256, "\n"])
def test_what_can_be_no_request_id_is_not_found(odd: str) -> None:
    """The database takes no NUL."""
    with pytest.raises(RequestNotFoundError):
        request_id_of(sandbox.GetRequestRequest(id=odd))


def test_times_are_those_of_the_call() -> None:
    """To the microsecond."""
    told = MessageToDict(shown("s/m", None))
    assert told["createTime"] == "1970-01-01T00:00:01.000001Z"
    assert told["duration"] == "2.000003s"
