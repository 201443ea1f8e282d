"""A payments worker with the bank in its own process; all that measuring knows of the wiring.

`python -m bench.worker` is `python -m services.payments serve` with a bank that approves at
once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import uvloop

from bench.vault_cost import CARD, Bank
from pkg.grpc.paging import PageTokens
from pkg.observe import telemetry
from pkg.postgres.sql import Pool
from pkg.process.settings import load
from pkg.secret import Secret
from services.payments.__main__ import composed, serve_on
from services.payments.domain.money import Money
from services.payments.setup.config import Settings
from services.payments.use_cases.authorize import Authorize, authorize
from tests.database import as_part
from tests.keys import new_key
from tools.stack.settings import HOST

MERCHANT = "mer_bench"
_PEPPER, _HASH_KEY = "5e" * 32, "a5" * 32


def environment(database_url: str, *, port: int, bank_port: int, keyring: str) -> dict[str, str]:
    """Return a worker's settings; all others have the defaults of `make run`."""
    return {
        "PAYGATE_KEY_PEPPER": _PEPPER,
        "PAYGATE_HASH_KEY": _HASH_KEY,
        "DATABASE_URL": as_part(database_url, "paygate_gateway"),
        "PAYGATE_READ_DATABASE_URL": as_part(database_url, "paygate_reader"),
        "PAYGATE_SANDBOX_DATABASE_URL": as_part(database_url, "paygate_sandbox"),
        "PAYGATE_VAULT_DATABASE_URL": as_part(database_url, "paygate_vault"),
        "PAYGATE_VAULT_KEYRING": keyring,
        "PAYGATE_ACQUIRER_ADDRESS": f"{HOST}:{bank_port}",
        "PAYGATE_LISTEN": f"{HOST}:{port}",
        # What is measured is work, not refusals.
        "PAYGATE_IN_FLIGHT_MAX": "4096",
    }


def bank_environment(database_url: str, *, port: int) -> Mapping[str, str]:
    """Return the settings of a bank in a process of its own."""
    return {"ACQUIRER_DATABASE_URL": database_url, "ACQUIRER_LISTEN": f"{HOST}:{port}"}


async def make_key(database_url: str) -> str:
    """Make the merchant that is measured with, and return its API key."""
    return await new_key(database_url, MERCHANT, pepper=_PEPPER)


def page_tokens() -> PageTokens:
    """Return what makes the page tokens that a worker takes."""
    return PageTokens(Secret(_HASH_KEY))


async def recorded_commits(environment: Mapping[str, str]) -> list[tuple[str, Sequence[object]]]:
    """Authorize once and return the statements that were committed, with their arguments."""
    names = {name: name.removeprefix("PAYGATE_").lower() for name in environment}
    names["DATABASE_URL"] = "DATABASE_URL"
    settings = Settings.model_validate({names[key]: value for key, value in environment.items()})
    async with composed(settings) as service:
        recorder: Any = service.ports.store
        recorder._writes = _Recorder(recorder._writes)
        command = Authorize(
            merchant_id=MERCHANT,
            card=CARD,
            amount=Money(1000, "GBP"),
            reference="",
            idempotency_key="recorded",
        )
        await authorize(replace(service.ports, acquirer=Bank()), command)
        statements: list[tuple[str, Sequence[object]]] = recorder._writes.statements
        return statements


class _Recorder:
    """A pool that keeps what it is asked for."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.statements: list[tuple[str, Sequence[object]]] = []

    async def fetch(self, statement: str, *arguments: object) -> Any:
        """Keep it, and do it."""
        self.statements.append((statement, arguments))
        return await self._pool.fetch(statement, *arguments)


async def main() -> None:
    """Serve until SIGTERM."""
    settings = load(Settings)
    async with composed(settings) as service:
        ports = replace(service.ports, acquirer=Bank())
        await serve_on(settings, replace(service, ports=ports))


if __name__ == "__main__":
    telemetry.configure("payments-bench")
    uvloop.run(main())
