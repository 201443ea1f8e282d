"""What the vault costs an Authorize: `python -m bench.vault_cost`.

The whole use case on a real PostgreSQL, with the bank in this process, in alternating pairs: with
the local vault, and with one that keeps nothing. Printed are the medians of the pairs' differences,
in µs of CPU per Authorize, of this process and of PostgreSQL.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import asyncpg
import psutil

from pkg.observe.metrics import Metrics
from pkg.postgres.sql import open_pool
from pkg.secret import Secret
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.hashing import HmacHasher
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.postgres_cards import PostgresCards
from services.payments.adapters.vault import local as vault_local
from services.payments.adapters.vault.cards import CardVault
from services.payments.adapters.vault.keys import DataKeys
from services.payments.adapters.vault.local import LocalWrapper
from services.payments.api.codec import ProtoEvents, ProtoReplies
from services.payments.domain.action import Action
from services.payments.domain.card import Cvv, Expiry, Pan
from services.payments.domain.money import Money
from services.payments.domain.outcome import Answer, Approved, NotFound, Reversed
from services.payments.domain.payment import Payment
from services.payments.ports import CardDetails, Ports, SealedCard, Vault
from services.payments.use_cases.authorize import Authorize, authorize
from tests.database import Databases, as_part, postgres_of_its_own, running
from tools.stack.postgres import OWNER

PAIRS, CALLS, AT_ONCE = 21, 4_000, 64
CARD = CardDetails(Pan("4242424242424242"), Expiry(2035, 12), Cvv("123"))


class Bank:
    """Approves at once."""

    def ensure_reachable(self) -> None:
        """Be there."""

    async def authorize(self, payment: Payment, card: CardDetails) -> Answer:
        """Approve."""
        return Approved()

    async def perform(self, payment: Payment, action: Action, now: datetime) -> Answer:
        """Approve."""
        return Approved()

    async def reverse(self, payment: Payment, now: datetime) -> Reversed:
        """Release."""
        return Reversed()

    async def inquire(self, payment: Payment, action: Action, now: datetime) -> Answer | NotFound:
        """Approve."""
        return Approved()


class Nothing:
    """Keeps no card."""

    async def seal(self, merchant_id: str, pan: Pan, expiry: Expiry, now: datetime) -> SealedCard:
        """Return what makes no row."""
        return SealedCard(token="", data_key_id="", ciphertext=cast("bytes", None))

    async def open(self, merchant_id: str, token: str) -> CardDetails | None:
        """Return nothing."""
        return None


@dataclass(frozen=True)
class Cost:
    """CPU seconds."""

    ours: float
    postgres: float


def cpu(server: psutil.Process) -> Cost:
    """Return what was used so far."""
    total = 0.0
    for process in (server, *server.children(recursive=True)):
        times = process.cpu_times()
        total += times.user + times.system
    return Cost(time.process_time(), total)


@asynccontextmanager
async def gateways() -> AsyncIterator[tuple[Ports, Ports, psutil.Process]]:
    """Yield the same gateway with the vault and without, on a new database."""
    with postgres_of_its_own() as postgres, tempfile.TemporaryDirectory() as folder:
        await postgres.initialise()
        async with running(postgres):
            await postgres.make_databases()
            owner = await asyncpg.connect(postgres.url(OWNER, "postgres"))
            _, url = await Databases(postgres, owner).create("payments")
            await owner.close()
            keyring = Path(folder, "keyring.json")
            vault_local.make(keyring)
            pools = [
                await open_pool(
                    as_part(url, part), size=n, command_timeout_seconds=20, name="bench"
                )
                for part, n in (
                    ("paygate_gateway", 4),
                    ("paygate_gateway", 1),
                    ("paygate_vault", 1),
                )
            ]
            keys = DataKeys(pools[2], LocalWrapper(keyring), lifetime_seconds=900, uses_max=100_000)
            clocks = SandboxClocks()
            store = PostgresStore(
                pools[0], pools[1], events=ProtoEvents(), clocks=clocks, lease=timedelta(seconds=10)
            )

            def ports(vault: Vault) -> Ports:
                return Ports(
                    store=store,
                    acquirer=Bank(),
                    vault=vault,
                    cards=PostgresCards(pools[0], Metrics()),
                    clock=clocks,
                    hasher=HmacHasher(Secret("5e" * 32)),
                    replies=ProtoReplies(),
                )

            pid = int(
                (postgres.data / "postmaster.pid").read_text().split("\n", 1)[0]
            )  # before anything is timed
            yield ports(CardVault(pools[2], keys)), ports(Nothing()), psutil.Process(pid)
            for pool in pools:
                await pool.close()


async def spend(ports: Ports, server: psutil.Process) -> Cost:
    """Return the CPU of one Authorize, in µs, as the mean of many at once."""
    left = iter(range(CALLS))

    async def client() -> None:
        for _ in left:
            command = Authorize(
                merchant_id="mer_bench",
                card=CARD,
                amount=Money(1000, "GBP"),
                reference="",
                idempotency_key=None,
            )
            await authorize(ports, command)

    before = cpu(server)
    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    after = cpu(server)
    scale = 1e6 / CALLS
    return Cost((after.ours - before.ours) * scale, (after.postgres - before.postgres) * scale)


async def main() -> None:
    """Measure and print."""
    async with gateways() as (sealed, plain, server):
        await spend(sealed, server)
        await spend(plain, server)
        pairs = []
        for number in range(PAIRS):
            first, second = (sealed, plain) if number % 2 else (plain, sealed)
            one, two = await spend(first, server), await spend(second, server)
            pairs.append((one, two) if number % 2 else (two, one))
    for name in ("ours", "postgres"):
        differences = sorted(getattr(one, name) - getattr(two, name) for one, two in pairs)
        low, high = differences[len(pairs) // 4], differences[3 * len(pairs) // 4]
        base = statistics.median(getattr(two, name) for _, two in pairs)
        print(
            f"{name}: +{statistics.median(differences):.1f} µs"
            f" (middle half {low:.1f} to {high:.1f}) on {base:.0f} µs, {PAIRS} pairs"
        )


if __name__ == "__main__":
    asyncio.run(main())
