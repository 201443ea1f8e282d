"""What a call can raise. `reason` is for programs, and never changes its meaning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldViolation:
    """One thing that is wrong with a request.

    Attributes:
        field: The field's path, such as `card_details.pan`.
        description: What is wrong, such as "is not a valid card number".
    """

    field: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is known of a call that failed.

    Attributes:
        call: Which one, such as `capture`.
        reason: The gateway's, such as `AMOUNT_EXCEEDS_CAPTURABLE`; of the client's own there are
            `CONNECTION_FAILED`, `UNEXPECTED_REPLY` and `STILL_PENDING`.
        message: For people.
        http_status: None without a reply.
        request_id: Of the last reply, `x-request-id`: name it when you report a problem.
        metadata: Of the gateway's reason, such as the amount that is `available`.
        field_violations: All that is wrong with the request's fields.
        idempotency_key: That the call was made with: the same call with it has one effect still.
        retry_after_seconds: How long the gateway asks to wait; None if it does not.
    """

    call: str
    reason: str
    message: str
    http_status: int | None = None
    request_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    field_violations: Sequence[FieldViolation] = ()
    idempotency_key: str | None = None
    retry_after_seconds: float | None = None

    def __str__(self) -> str:
        fields = "".join(f" {one.field} {one.description}." for one in self.field_violations)
        request = f" [request {self.request_id}]" if self.request_id else ""
        return f"{self.call}: {self.reason}: {self.message}{fields}{request}"


class PaygateError(Exception):
    """A call failed. Which kind it is, the class says; more, its `problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem

    @property
    def reason(self) -> str:
        """For programs, such as `AMOUNT_EXCEEDS_CAPTURABLE`."""
        return self.problem.reason

    @property
    def request_id(self) -> str | None:
        """Of the last reply, if there was one."""
        return self.problem.request_id

    @property
    def field_violations(self) -> Sequence[FieldViolation]:
        """All that is wrong with the request's fields."""
        return self.problem.field_violations

    @property
    def idempotency_key(self) -> str | None:
        """To make the very same call with again: it still has one effect."""
        return self.problem.idempotency_key


class InvalidRequestError(PaygateError):
    """The request is wrong in itself (`VALIDATION_FAILED`, `CURRENCY_MISMATCH`, …): correct it."""


class AuthenticationError(PaygateError):
    """The API key is missing, unknown, expired or revoked (`INVALID_API_KEY`)."""


class PermissionDeniedError(PaygateError):
    """The API key is not for this call (`INSUFFICIENT_SCOPE`)."""


class NotFoundError(PaygateError):
    """There is no such payment, card token, endpoint or event of this merchant."""


class RefusedError(PaygateError):
    """The state of things forbids it (`AMOUNT_EXCEEDS_CAPTURABLE`, `PAYMENT_VOIDED`, …)."""


class ConflictError(PaygateError):
    """Something else is under way (`ACTION_PENDING`, `CONCURRENT_UPDATE`): try again later."""


class RateLimitedError(PaygateError):
    """Too much was asked for (`RATE_LIMITED`), and the deadline came before the time to go on."""


class UnavailableError(PaygateError):
    """The gateway cannot serve (`OVERLOADED`, `DEPENDENCY_UNAVAILABLE`, `DEADLINE_EXCEEDED`).

    It was tried until the deadline, but once where the request did not arrive in time (408). What
    became of the call is not known unless the reason is `OVERLOADED`: make it again with the same
    `idempotency_key`.
    """


class ConnectionFailedError(PaygateError):
    """No reply came (`CONNECTION_FAILED`), until the deadline.

    What became of the call is not known: make it again with the same `idempotency_key`.
    """


class GatewayError(PaygateError):
    """The gateway failed (`INTERNAL`), or what answered is no gateway (`UNEXPECTED_REPLY`).

    What became of the call is not known: make it again with the same `idempotency_key`.
    """


class StillPendingError(PaygateError):
    """The bank's answer is not known yet (`STILL_PENDING`). It becomes final by itself."""
