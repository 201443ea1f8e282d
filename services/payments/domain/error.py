"""Every refusal a client can get, with its stable reason. The docstring is the message."""

from typing import ClassVar

from pkg.money import Money


class PaymentsError(Exception):
    """The request was refused."""

    reason: ClassVar[str]
    retry_after_seconds: ClassVar[int | None] = None

    def __init__(self, **metadata: str) -> None:
        self.metadata = metadata
        self.violations: dict[str, str] = {}
        super().__init__((type(self).__doc__ or "").strip())


class ValidationFailedError(PaymentsError):
    """The request is not valid."""

    reason = "VALIDATION_FAILED"

    def __init__(self, violations: dict[str, str]) -> None:
        """Take what is wrong by the field's path in the request. No value is ever repeated."""
        super().__init__()
        self.violations.update(violations)


class CurrencyMismatchError(PaymentsError):
    """The amount's currency is not the payment's."""

    reason = "CURRENCY_MISMATCH"


class InvalidPageTokenError(PaymentsError):
    """The page token was not made by this list with these filters."""

    reason = "INVALID_PAGE_TOKEN"


class InvalidApiKeyError(PaymentsError):
    """The API key is missing or not valid."""

    reason = "INVALID_API_KEY"


class PaymentNotFoundError(PaymentsError):
    """There is no such payment."""

    reason = "PAYMENT_NOT_FOUND"


class IdempotencyInFlightError(PaymentsError):
    """A request with this idempotency key is still running. Try again with the same key."""

    reason = "IDEMPOTENCY_IN_FLIGHT"
    retry_after_seconds = 1


class IdempotencyKeyReusedError(PaymentsError):
    """This idempotency key was used with another request."""

    reason = "IDEMPOTENCY_KEY_REUSED"


class ConcurrentUpdateError(PaymentsError):
    """Too many requests are changing this payment at once. Nothing was done; try again."""

    reason = "CONCURRENT_UPDATE"
    retry_after_seconds = 1


class ActionPendingError(PaymentsError):
    """Another action of this payment is not settled yet. Try again when it is."""

    reason = "ACTION_PENDING"
    retry_after_seconds = 1


class _AmountExceedsError(PaymentsError):
    def __init__(self, *, requested: Money, available: Money) -> None:
        super().__init__(
            requested=str(requested.minor_units),
            available=str(available.minor_units),
            currency=available.currency,
        )


class AmountExceedsCapturableError(_AmountExceedsError):
    """The amount is more than can still be captured."""

    reason = "AMOUNT_EXCEEDS_CAPTURABLE"


class AmountExceedsRefundableError(_AmountExceedsError):
    """The amount is more than can still be refunded."""

    reason = "AMOUNT_EXCEEDS_REFUNDABLE"


class PaymentVoidedError(PaymentsError):
    """The payment was voided; nothing is possible any more."""

    reason = "PAYMENT_VOIDED"


class PaymentDeclinedError(PaymentsError):
    """The authorization was declined."""

    reason = "PAYMENT_DECLINED"


class PaymentFailedError(PaymentsError):
    """The authorization failed: the bank never answered it."""

    reason = "PAYMENT_FAILED"


class PaymentExpiredError(PaymentsError):
    """The authorization has expired."""

    reason = "PAYMENT_EXPIRED"


class PaymentRefundedError(PaymentsError):
    """Money was given back already; only refunds are possible."""

    reason = "PAYMENT_REFUNDED"


class PaymentCapturedError(PaymentsError):
    """Money was captured already; refund it instead."""

    reason = "PAYMENT_CAPTURED"


class NotCapturedError(PaymentsError):
    """Nothing was captured that could be given back."""

    reason = "NOT_CAPTURED"


class DependencyUnavailableError(PaymentsError):
    """Something the gateway needs is not available. Try again with the same idempotency key."""

    reason = "DEPENDENCY_UNAVAILABLE"
    retry_after_seconds = 1
