"""A real payments worker with short leases, so that tests need not wait for long ones.

`python -m tests.chaos.worker` is `python -m services.payments serve` but for the lease, which by
the times that it waits would be several seconds: a call that takes longer meets recovery.
"""

import asyncio
from datetime import timedelta

from pkg.observe import telemetry
from pkg.process.settings import load
from services.payments.__main__ import serve
from services.payments.setup.config import Settings


class HastySettings(Settings):
    """The settings of a worker, and its lease; `PAYGATE_HASTY_LEASE_SECONDS`."""

    hasty_lease_seconds: float

    @property
    def action_lease(self) -> timedelta:
        """When recovery takes up what this worker has begun."""
        return timedelta(seconds=self.hasty_lease_seconds)


if __name__ == "__main__":
    telemetry.configure("payments")
    asyncio.run(serve(load(HastySettings)))
