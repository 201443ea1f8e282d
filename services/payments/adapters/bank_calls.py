"""What the bank says of an operation, or why it says nothing; and a call of its own for each.

Calls are for a bank that has no line yet: one that is older than this gateway.
"""

from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc import aio

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from paygate.acquirer.v1.acquirer_service_pb2_grpc import AcquirerServiceStub

# The RPC of each kind of operation.
METHODS = {
    "authorize": "Authorize",
    "capture": "Capture",
    "void": "Void",
    "refund": "Refund",
    "reverse": "Reverse",
    "inquire": "Inquire",
}

_CODES = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Failure:
    """There is no outcome.

    Attributes:
        code: What kind of error it is.
        domain: Who has made the error, as its ErrorInfo says; empty if nobody says so.
        is_sent: Whether the bank may have it. False only if it certainly has not.
    """

    code: grpc.StatusCode
    domain: str = ""
    is_sent: bool = True


class Calls:
    """Asks the bank by a call for each operation."""

    def __init__(self, channel: aio.Channel) -> None:
        stub = AcquirerServiceStub(channel)
        self._methods: dict[str, Any] = {
            kind: getattr(stub, name) for kind, name in METHODS.items()
        }

    async def ask(self, operation: pb.Operation, *, timeout_seconds: float) -> pb.Outcome | Failure:
        """Return what the bank says of an operation."""
        kind = operation.WhichOneof("request")
        assert kind is not None
        told = {"x-request-id": operation.request_id, "traceparent": operation.traceparent}
        metadata = tuple((name, value) for name, value in told.items() if value)
        call = self._methods[kind](
            getattr(operation, kind), timeout=timeout_seconds, metadata=metadata
        )
        try:
            outcome: pb.Outcome = (await call).outcome
        except grpc.RpcError as problem:
            # grpcio does not say by its code whether a byte was sent.
            if isinstance(problem, aio.AioRpcError):
                return Failure(problem.code(), _domain_of(problem))
            return Failure(grpc.StatusCode.UNKNOWN)
        return outcome


def told(answer: pb.Answer) -> pb.Outcome | Failure:
    """Return what an answer on a line says."""
    if answer.HasField("outcome"):
        return answer.outcome
    # OK is no error, so an answer that says so makes no sense.
    code = _CODES.get(answer.error.code or -1, grpc.StatusCode.UNKNOWN)
    return Failure(code, _domain(answer.error))


def _domain(status: Status) -> str:
    info = ErrorInfo()
    try:
        return next((info.domain for detail in status.details if detail.Unpack(info)), "")
    except DecodeError:
        return ""


def _domain_of(problem: aio.AioRpcError) -> str:
    for name, value in problem.trailing_metadata() or ():
        if name == "grpc-status-details-bin" and isinstance(value, bytes):
            try:
                return _domain(Status.FromString(value))
            except DecodeError:
                return ""
    return ""
