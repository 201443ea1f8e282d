"""What the API names by words. All of these are open: a value of a newer gateway never raises."""

from enum import StrEnum
from typing import Self


class OpenEnum(StrEnum):
    """Text of which some values are known: `DeclineCode("CODE_NEW")` is a value like any other."""

    @classmethod
    def _missing_(cls, value: object) -> Self:
        unknown = str.__new__(cls, str(value))
        unknown._name_ = unknown._value_ = str(value)
        return unknown

    @property
    def is_known(self) -> bool:
        """Whether this version of the client has a name for it."""
        return self.name in type(self).__members__


class PaymentStatus(OpenEnum):
    """Where a payment stands. Only PENDING changes by itself, but for what expires."""

    PENDING = "STATUS_PENDING"
    AUTHORIZED = "STATUS_AUTHORIZED"
    DECLINED = "STATUS_DECLINED"
    FAILED = "STATUS_FAILED"
    PARTIALLY_CAPTURED = "STATUS_PARTIALLY_CAPTURED"
    CAPTURED = "STATUS_CAPTURED"
    PARTIALLY_REFUNDED = "STATUS_PARTIALLY_REFUNDED"
    REFUNDED = "STATUS_REFUNDED"
    VOIDED = "STATUS_VOIDED"
    EXPIRED = "STATUS_EXPIRED"


class ActionType(OpenEnum):
    """What was done to a payment; EXPIRE and REVERSE are the gateway's own."""

    AUTHORIZE = "TYPE_AUTHORIZE"
    CAPTURE = "TYPE_CAPTURE"
    VOID = "TYPE_VOID"
    REFUND = "TYPE_REFUND"
    EXPIRE = "TYPE_EXPIRE"
    REVERSE = "TYPE_REVERSE"


class ListenerProblem(OpenEnum):
    """Why there is no answer to a webhook that a listener has posted."""

    CONNECTION_REFUSED = "LISTENER_PROBLEM_CONNECTION_REFUSED"
    NO_ANSWER_IN_TIME = "LISTENER_PROBLEM_NO_ANSWER_IN_TIME"
    NO_CONNECTION = "LISTENER_PROBLEM_NO_CONNECTION"


class ActionStatus(OpenEnum):
    """How it went. Only PENDING changes, and by itself."""

    PENDING = "STATUS_PENDING"
    SUCCEEDED = "STATUS_SUCCEEDED"
    DECLINED = "STATUS_DECLINED"
    FAILED = "STATUS_FAILED"


class DeclineCode(OpenEnum):
    """Why the customer's bank said no."""

    CARD_DECLINED = "CODE_CARD_DECLINED"
    INSUFFICIENT_FUNDS = "CODE_INSUFFICIENT_FUNDS"
    LOST_CARD = "CODE_LOST_CARD"
    STOLEN_CARD = "CODE_STOLEN_CARD"
    EXPIRED_CARD = "CODE_EXPIRED_CARD"
    INCORRECT_CVV = "CODE_INCORRECT_CVV"
    PROCESSING_ERROR = "CODE_PROCESSING_ERROR"
    ISSUER_UNAVAILABLE = "CODE_ISSUER_UNAVAILABLE"
    CAPTURE_REJECTED = "CODE_CAPTURE_REJECTED"
    REFUND_REJECTED = "CODE_REFUND_REJECTED"
    VOID_REJECTED = "CODE_VOID_REJECTED"


class Brand(OpenEnum):
    """The card's network, told by the first digits of its number."""

    UNSPECIFIED = "BRAND_UNSPECIFIED"
    VISA = "BRAND_VISA"
    MASTERCARD = "BRAND_MASTERCARD"
    AMERICAN_EXPRESS = "BRAND_AMERICAN_EXPRESS"
    DISCOVER = "BRAND_DISCOVER"
    JCB = "BRAND_JCB"
    UNIONPAY = "BRAND_UNIONPAY"
    DINERS_CLUB = "BRAND_DINERS_CLUB"
    MAESTRO = "BRAND_MAESTRO"


class EventType(OpenEnum):
    """What became true of a payment; TEST is about none."""

    AUTHORIZED = "payment.authorized"
    DECLINED = "payment.declined"
    FAILED = "payment.failed"
    CAPTURED = "payment.captured"
    CAPTURE_DECLINED = "payment.capture_declined"
    CAPTURE_FAILED = "payment.capture_failed"
    VOIDED = "payment.voided"
    REMAINDER_VOIDED = "payment.remainder_voided"
    VOID_DECLINED = "payment.void_declined"
    VOID_FAILED = "payment.void_failed"
    REFUNDED = "payment.refunded"
    REFUND_DECLINED = "payment.refund_declined"
    REFUND_FAILED = "payment.refund_failed"
    EXPIRED = "payment.expired"
    TEST = "webhook.test"


class DueKind(OpenEnum):
    """What happens when its time has come."""

    PAYMENT_EXPIRES = "KIND_PAYMENT_EXPIRES"
    ACTION_RETRIED = "KIND_ACTION_RETRIED"
    DELIVERY_RETRIED = "KIND_DELIVERY_RETRIED"


class BankVerb(OpenEnum):
    """What the bank is asked for. A rule can be for the first four."""

    AUTHORIZE = "VERB_AUTHORIZE"
    CAPTURE = "VERB_CAPTURE"
    VOID = "VERB_VOID"
    REFUND = "VERB_REFUND"
    REVERSE = "VERB_REVERSE"
    INQUIRE = "VERB_INQUIRE"


class BankEffect(OpenEnum):
    """What a rule has the bank do."""

    APPROVE = "KIND_APPROVE"
    DECLINE = "KIND_DECLINE"
    LOSE_REQUEST = "KIND_LOSE_REQUEST"
    LOSE_REPLY = "KIND_LOSE_REPLY"
    UNAVAILABLE = "KIND_UNAVAILABLE"


class BankResult(OpenEnum):
    """What became of a request to the bank."""

    UNDER_WAY = "RESULT_UNDER_WAY"
    APPROVED = "RESULT_APPROVED"
    DECLINED = "RESULT_DECLINED"
    REVERSED = "RESULT_REVERSED"
    NOT_FOUND = "RESULT_NOT_FOUND"
    REQUEST_LOST = "RESULT_REQUEST_LOST"
    REPLY_LOST = "RESULT_REPLY_LOST"
    UNAVAILABLE = "RESULT_UNAVAILABLE"
    REFUSED = "RESULT_REFUSED"


class EndpointStatus(OpenEnum):
    """Whether events are posted to a webhook endpoint."""

    ENABLED = "STATUS_ENABLED"
    DISABLED = "STATUS_DISABLED"


class DeliveryStatus(OpenEnum):
    """How far an event has come on its way to an endpoint."""

    PENDING = "STATUS_PENDING"
    DELIVERED = "STATUS_DELIVERED"
    FAILED = "STATUS_FAILED"
