"""A payments worker that writes down which files of ours one warm Authorize goes through.

`python -m tests.integration.path_worker` is `python -m services.payments serve` with a bank that
approves at once. From one of that bank's answers to its next question a whole Authorize goes by:
the end of one and the beginning of the next. Files that each of several goes through are written to
`PATH_FILE`, as JSON: what else a worker does now and then is not among them.
"""

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import FrameType

import uvloop

from bench.vault_cost import Bank
from pkg.observe import telemetry
from pkg.process.settings import load
from services.payments.__main__ import composed, serve_on
from services.payments.domain.outcome import Answer
from services.payments.domain.payment import Payment
from services.payments.ports import CardDetails
from services.payments.setup.config import Settings

REPOSITORY = Path(__file__).parents[2]
WARM_CALLS, WATCHED_CALLS = 2, 4


class WatchingBank(Bank):
    """Approves, and watches the process from one call to the next."""

    def __init__(self) -> None:
        self._calls = 0
        self._place = Path(os.environ["PATH_FILE"])
        self._files: set[str] = set()
        self._each: list[set[str]] = []

    async def authorize(self, payment: Payment, card: CardDetails) -> Answer:
        """Approve."""
        self._calls += 1
        if self._calls > WARM_CALLS:
            sys.setprofile(None)
            self._each.append(self._files)
        if len(self._each) == WATCHED_CALLS:
            ours = (name for name in set.intersection(*self._each) if "/.venv/" not in name)
            files = sorted(str(Path(name).relative_to(REPOSITORY)) for name in ours)
            self._place.write_text(json.dumps(files), "utf-8")
        elif self._calls >= WARM_CALLS:
            self._files = set()
            sys.setprofile(self._note)
        return await super().authorize(payment, card)

    def _note(self, frame: FrameType, _event: str, _argument: object) -> None:
        name = frame.f_code.co_filename
        if name.startswith((f"{REPOSITORY}/services/", f"{REPOSITORY}/pkg/")):
            self._files.add(name)


async def main() -> None:
    """Serve until SIGTERM."""
    settings = load(Settings)
    async with composed(settings) as service:
        ports = replace(service.ports, acquirer=WatchingBank())
        await serve_on(settings, replace(service, ports=ports))


if __name__ == "__main__":
    telemetry.configure("payments-path")
    uvloop.run(main())
