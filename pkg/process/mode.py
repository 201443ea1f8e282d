"""What the gateway is run for."""

from enum import StrEnum


class Mode(StrEnum):
    """What the gateway is run for."""

    # What only tests need is there: a clock that can be turned, webhooks to this machine.
    SANDBOX = "sandbox"
    # Nothing starts that is not fit for it: see `pkg.process.production`.
    PRODUCTION = "production"
