"""A paygate sandbox for every test: the fixtures `paygate` and `sandbox`, and what they yield.

pytest finds the fixtures by itself. `cards` has cards of which the simulated bank knows what to do
with them.
"""

from paygate_testing import cards
from paygate_testing.bank import Bank, Outage, Verb
from paygate_testing.errors import NeverCameError, SetupError
from paygate_testing.gateway import Gateway
from paygate_testing.inbox import Inbox, Webhook
from paygate_testing.sandbox import Sandbox

__all__ = [
    "Bank",
    "Gateway",
    "Inbox",
    "NeverCameError",
    "Outage",
    "Sandbox",
    "SetupError",
    "Verb",
    "Webhook",
    "cards",
]
