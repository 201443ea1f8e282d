"""What a call spends on metrics and its line in the log: `python -m bench.records_cost`.

A tight loop around what one Authorize counts and logs, in µs of CPU; the loop itself is taken off.
The log is written to a file, so system calls are in it. A group is reckoned as one change: in
larger ones each change has only a part of its cost.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from paygate.payments.v1 import payment_service_pb2 as service
from pkg.grpc.calls import Call, CallRecords
from pkg.observe.metrics import Metrics
from pkg.observe.request_log import RequestLog
from services.payments.adapters.tally import MeteredAcquirer, MeteredVault, StoreTally, VaultMeter
from services.payments.api.requests import payment_id_in
from services.payments.domain.card import Expiry, Pan
from services.payments.domain.outcome import Answer, Approved
from services.payments.ports import Change, SealedCard
from tests.builders import DETAILS, begun, settled

LOOPS = 100_000
METHOD = "/paygate.payments.v1.PaymentService/Authorize"
SEALED = SealedCard(token="tok", data_key_id="dek", ciphertext=b"")
PAYMENT = begun()[0]
NOW, EXPIRY = datetime.now(UTC), Expiry(2035, 12)


class Bank:
    """Approves, and takes no time."""

    async def authorize(self, _payment: object, _card: object) -> Answer:
        """Approve."""
        return Approved()

    perform = inquire = authorize


class Vault:
    """Takes every card, and no time."""

    async def seal(self, *_: object) -> SealedCard:
        """Pretend."""
        return SEALED

    async def open(self, *_: object) -> None:
        """Find nothing."""


def loop(work: Callable[[], object]) -> float:
    """Return what a call of `work` costs, in µs of CPU."""
    began = time.process_time()
    for _ in range(LOOPS):
        work()
    return (time.process_time() - began) / LOOPS * 1e6


async def awaited(work: Callable[[], Awaitable[object]]) -> float:
    """Return what awaiting `work` costs, in µs of CPU."""
    began = time.process_time()
    for _ in range(LOOPS):
        await work()
    return (time.process_time() - began) / LOOPS * 1e6


def call_cost(metrics: Metrics, write: Callable[[str], object]) -> float:
    """Return what the interceptor spends on counting and logging."""
    log = RequestLog("payments", write)
    records = CallRecords(metrics, log=log, payment_id=payment_id_in)
    reply = service.AuthorizeResponse()
    reply.payment.id = begun()[0].id
    call = Call(METHOD, "7769393a-61e5-4d70-a9c1-fd4c37fb5b65", {}, merchant_id="mer_demo")
    call.reply = reply

    def work() -> None:
        records.begin(call)
        began = time.perf_counter()
        records.end(call, time.perf_counter() - began)

    return loop(work)


def store_cost(metrics: Metrics) -> float:
    """Return what the store spends on counting the two commits of an Authorize."""
    tally, first = StoreTally(metrics), begun()
    changes = [Change(payment=step[0], actions=(step[1],)) for step in (first, settled(first))]

    def work() -> None:
        for change in changes:
            tally.committed(change)
            tally.commits.done(1, 0.001)

    return loop(work)


async def main() -> None:
    """Measure, and print a line for each part."""
    metrics = Metrics()
    bank: Any = Bank()
    vault: Any = Vault()
    metered, sealing = MeteredAcquirer(bank, metrics), MeteredVault(vault, VaultMeter(metrics))
    pan, empty = Pan("4242424242424242"), loop(lambda: None)
    with tempfile.TemporaryFile("w") as log:

        def write(text: str) -> None:
            log.write(text)
            log.flush()

        costs = {
            "calls and log": call_cost(metrics, write) - empty,
            "store": store_cost(metrics) - empty,
            "bank": await awaited(lambda: metered.authorize(PAYMENT, DETAILS))
            - await awaited(lambda: bank.authorize(PAYMENT, DETAILS)),
            "vault": await awaited(lambda: sealing.seal("mer", pan, EXPIRY, NOW))
            - await awaited(lambda: vault.seal("mer", pan, EXPIRY, NOW)),
        }
    costs["together"] = sum(costs.values())
    for name, cost in costs.items():
        sys.stdout.write(f"{name:<15} {cost:5.2f} µs\n")


if __name__ == "__main__":
    asyncio.run(main())
