"""What a client gets of our errors: the one way to it, and the codes that all services share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status

from pkg import errors

DOMAIN = "paygate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error as a client sees it.

    `violations` are what is wrong by the field's path in the request; `retry_after_seconds` says
    that it may go better then. `unauthenticated` are those that have shown no valid key; the edge
    counts how often an address is told so.
    """

    code: grpc.StatusCode
    reason: str
    message: str
    metadata: dict[str, str] = field(default_factory=dict)
    violations: dict[str, str] = field(default_factory=dict)
    retry_after_seconds: int | None = None
    unauthenticated: bool = False

    def status(self, domain: str = DOMAIN) -> Status:
        """Return google.rpc.Status with ErrorInfo and, for bad input, BadRequest (AIP-193)."""
        details: list[Message] = [
            ErrorInfo(reason=self.reason, domain=domain, metadata=self.metadata)
        ]
        if self.violations:
            details.append(
                BadRequest(
                    field_violations=[
                        BadRequest.FieldViolation(field=name, description=text)
                        for name, text in self.violations.items()
                    ]
                )
            )
        status = Status(code=self.code.value[0], message=self.message)
        for detail in details:
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
        return status


Codes = Mapping[type[errors.ApiError], grpc.StatusCode]

# What REST makes of them.
HTTP_STATUSES: Mapping[grpc.StatusCode, int] = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}

SHARED_CODES: Codes = {
    errors.ValidationFailedError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.InvalidPageTokenError: grpc.StatusCode.INVALID_ARGUMENT,
    errors.InvalidApiKeyError: grpc.StatusCode.UNAUTHENTICATED,
    errors.MissingApiKeyError: grpc.StatusCode.UNAUTHENTICATED,
    errors.RateLimitedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    errors.InsufficientScopeError: grpc.StatusCode.PERMISSION_DENIED,
    errors.IdempotencyInFlightError: grpc.StatusCode.ABORTED,
    errors.IdempotencyKeyReusedError: grpc.StatusCode.FAILED_PRECONDITION,
    errors.DependencyUnavailableError: grpc.StatusCode.UNAVAILABLE,
}


def refusal(problem: Exception, codes: Codes) -> Refusal | None:
    """Return what the client is told; None for anything that is not a refusal but a bug."""
    if not isinstance(problem, errors.ApiError):
        return None
    return Refusal(
        code=codes[type(problem)],
        reason=problem.reason,
        message=str(problem),
        metadata=problem.metadata,
        violations=problem.violations,
        retry_after_seconds=problem.retry_after_seconds,
        unauthenticated=problem.unauthenticated,
    )


def internal(request_id: str) -> Refusal:
    """Return what the client is told of a bug: nothing but where to find it."""
    return Refusal(
        code=grpc.StatusCode.INTERNAL,
        reason="INTERNAL",
        message="An internal error happened. Name the request id when you report it.",
        metadata={"request_id": request_id},
    )
