"""What the person at the terminal sees."""

import contextlib
import shlex
import sys
import time

from pkg.process.called import COMMAND, RESET
from tools.stack.link import Link
from tools.stack.settings import Settings

# Approved by the simulated bank, like any other number that is a valid one.
CARD = '{"pan": "4242424242424242", "expiry": {"month": 12, "year": 2030}, "cvv": "123"}'
TEN_POUNDS = '{"minor_units": 1000, "currency": "GBP"}'


class Screen:
    """Progress while the stack is set up, one screen when it serves, a line when a child dies."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, line: str) -> None:
        """Print one line, at once; a terminal that is gone is no reason to end."""
        with contextlib.suppress(OSError, ValueError):
            print(line, flush=True)

    def step(self, what: str) -> None:
        """Say what has been reached, and after how long."""
        self.say(f"  {time.monotonic() - self._began:5.1f} s  {what}")

    def ready(self, settings: Settings, *, key: str, link: Link, idempotency_key: str) -> None:
        """Show how to use what runs now."""
        self.say(
            f"""
paygate is ready.

  console    {link.console}    (open this first; signs you in, works once)
  docs       {link.docs}    (the API reference; signs you in, works once)
  REST       {settings.url}    (health: {settings.url}/health)
  gRPC       127.0.0.1:{settings.port}    paygate.payments.v1.PaymentService, no TLS
             (also paygate.webhooks.v1.WebhookService, paygate.sandbox.v1.SandboxService)
  API key    {key}    (merchant mer_demo)
  commands   {COMMAND} --help    (payments, events, the clock; merchants and API keys)
  webhooks   {COMMAND} listen --forward-to localhost:3000/hook    (posts them to your server)
  data       {settings.data_dir}    (`{RESET}` empties it)
  logs       {settings.logs}
  metrics    {settings.metrics_targets}    (where each process shows them)
  scripts    set -a; source {shlex.quote(str(settings.demo_env))}; set +a

Authorize £10:

curl -sS {settings.url}/authorize \\
  -H 'authorization: Bearer {key}' \\
  -H 'content-type: application/json' \\
  -H 'idempotency-key: {idempotency_key}' \\
  -d '{{"card_details": {CARD}, "amount": {TEN_POUNDS}, "reference": "order-1001"}}'

Ctrl-C stops it; the data stays."""
        )


def complain(sentence: str) -> None:
    """Print why it did not work."""
    with contextlib.suppress(OSError, ValueError):
        print(f"paygate: {sentence}", file=sys.stderr, flush=True)
