"""Why a payment refuses, with stable reasons. The docstring is the message."""

from pkg.errors import ApiError, RateLimitedError
from services.payments.domain.money import Money

# Violations that time alone makes.
IN_THE_PAST = "is in the past"
OF_AN_EXPIRED_CARD = "is of a card that has expired"


class PaymentsError(ApiError):
    """The request was refused."""


class CurrencyMismatchError(PaymentsError):
    """The amount's currency is not the payment's."""

    reason = "CURRENCY_MISMATCH"


class PaymentNotFoundError(PaymentsError):
    """There is no such payment."""

    reason = "PAYMENT_NOT_FOUND"


class CardTokenNotFoundError(PaymentsError):
    """There is no such card token."""

    reason = "CARD_TOKEN_NOT_FOUND"


class CardTokenRemovedError(PaymentsError):
    """The card of this token was removed from the vault. Ask the customer for its details."""

    reason = "CARD_TOKEN_REMOVED"


class RequestNotFoundError(PaymentsError):
    """The request log has no such request, or no longer."""

    reason = "REQUEST_NOT_FOUND"


class BankRuleNotFoundError(PaymentsError):
    """There is no such bank rule."""

    reason = "BANK_RULE_NOT_FOUND"


class BankRuleLimitError(PaymentsError):
    """The merchant has as many bank rules as it can have: delete one first."""

    reason = "BANK_RULE_LIMIT"


class SandboxNotFoundError(PaymentsError):
    """There is no such sandbox."""

    reason = "SANDBOX_NOT_FOUND"


class SandboxLimitError(PaymentsError):
    """The merchant has as many sandboxes as it can have, or is one: delete one first."""

    reason = "SANDBOX_LIMIT"


class EndpointNotFoundError(PaymentsError):
    """There is no such webhook endpoint."""

    reason = "WEBHOOK_ENDPOINT_NOT_FOUND"


class ListenerReplacedError(PaymentsError):
    """Another listener has taken the place of this one."""

    reason = "LISTENER_REPLACED"


class TooManyDeclinesError(PaymentsError, RateLimitedError):
    """Too many authorizations of this card, or with this API key, were declined. Try later."""


class ConcurrentUpdateError(PaymentsError):
    """Too many requests are changing this payment at once. Nothing was done; try again."""

    reason = "CONCURRENT_UPDATE"
    retry_after_seconds = 1


class ActionPendingError(PaymentsError):
    """Another action of this payment is not settled yet. Try again when it is."""

    reason = "ACTION_PENDING"
    retry_after_seconds = 1


class SandboxBusyError(ActionPendingError):
    """An action in this sandbox is not settled yet. Try again when it is."""


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
    """The authorization failed: the bank never answered it, or refused the request itself."""

    reason = "PAYMENT_FAILED"


class PaymentExpiredError(PaymentsError):
    """The authorization has expired."""

    reason = "PAYMENT_EXPIRED"


class PaymentRefundedError(PaymentsError):
    """Money was given back already; only refunds are possible."""

    reason = "PAYMENT_REFUNDED"


class PaymentCapturedError(PaymentsError):
    """Money was captured already: refund it. `remainder` voids what no capture has taken."""

    reason = "PAYMENT_CAPTURED"


class NothingLeftError(PaymentCapturedError):
    """Nothing is left to release."""


class NotCapturedError(PaymentsError):
    """Nothing was captured."""

    reason = "NOT_CAPTURED"
