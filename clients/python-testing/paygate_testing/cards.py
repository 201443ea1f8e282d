"""Cards of which the simulated bank knows what to do with them.

Each is good for decades to come. For what no card does, tell the bank: `sandbox.bank`.
"""

from paygate_client import Card, Expiry

_EXPIRY = Expiry(12, 2060)


def _card(number: str, cvv: str = "123") -> Card:
    return Card(number, _EXPIRY, cvv)


# Approved, of each network.
VISA = _card("4242424242424242")
MASTERCARD = _card("5555555555554444")
MASTERCARD_2_SERIES = _card("2223003122003222")
AMERICAN_EXPRESS = _card("378282246310005", "1234")
DISCOVER = _card("6011111111111117")
JCB = _card("3566002020360505")
UNIONPAY = _card("6200000000000005")

# Declined when they are authorized, for the reason that is their name.
CARD_DECLINED = _card("4000000000000002")
INSUFFICIENT_FUNDS = _card("4000000000009995")
LOST_CARD = _card("4000000000009987")
STOLEN_CARD = _card("4000000000009979")
EXPIRED_CARD = _card("4000000000000069")
INCORRECT_CVV = _card("4000000000000127")
PROCESSING_ERROR = _card("4000000000000119")
ISSUER_UNAVAILABLE = _card("4000000000001083")

# Authorized; then every capture, refund or void is declined.
CAPTURE_REJECTED = _card("4000000000000259")
REFUND_REJECTED = _card("4000000000003238")
VOID_REJECTED = _card("4000000000001067")

# The request never arrives, or the reply is lost: PENDING at first.
AUTHORIZE_REQUEST_LOST = _card("4000000000001018")
AUTHORIZE_REPLY_LOST = _card("4000000000001026")
CAPTURE_REQUEST_LOST = _card("4000000000001042")
CAPTURE_REPLY_LOST = _card("4000000000001034")
REFUND_REPLY_LOST = _card("4000000000001059")
VOID_REPLY_LOST = _card("4000000000001091")

# The bank refuses for good, by an error of its own: FAILED.
AUTHORIZE_NEVER = _card("4000000000001109")
CAPTURE_NEVER = _card("4000000000001117")

# Takes two seconds for everything, then approves.
SLOW = _card("4000000000001075")
