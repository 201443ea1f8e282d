"""What commands share that follow something until Ctrl-C, however often the gateway goes away."""

import time

from paygate_client.errors import (
    ConnectionFailedError,
    GatewayError,
    RateLimitedError,
    UnavailableError,
)
from services.payments.cli.output import note

# The gateway, or the way to it, is down.
AWAY = (UnavailableError, ConnectionFailedError, GatewayError, RateLimitedError)
AGAIN_SECONDS = 0.5


class Contact:
    """Says once that all is ready, once that the gateway is away, and once that it is back."""

    def __init__(self) -> None:
        self._is_ready = False
        self._is_away = False

    def there(self) -> None:
        """Take note that the gateway has answered."""
        if not self._is_ready:
            note("Ready. Ctrl-C ends it.")
        elif self._is_away:
            note("The gateway answers again.")
        self._is_ready, self._is_away = True, False

    def away(self) -> None:
        """Take note that it has not, and wait a little."""
        if not self._is_away:
            note("The gateway does not answer; trying again.")
        self._is_away = True
        time.sleep(AGAIN_SECONDS)
