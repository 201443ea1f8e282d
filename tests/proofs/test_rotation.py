"""The key that wraps all others is rotated while payments run: no card is lost, no call fails."""

import asyncio
import random
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from pkg.postgres.sql import Pool, open_pool
from services.payments.adapters.vault.cards import CardVault
from services.payments.adapters.vault.keys import DataKeys
from services.payments.adapters.vault.local import LocalWrapper
from services.payments.adapters.vault.rotation import SETTLED_AFTER, VaultRotation
from services.payments.domain.card import Expiry, Pan
from services.payments.ports import CardDetails
from tests.chaos.rig import CARD, Rig, gbp, reason_of
from tests.database import as_part
from tests.proofs import record, scale
from tests.proofs.skew import OF_A_RIG

pytestmark = [pytest.mark.chaos, scale.LONG]

CARDS = scale.whole("PAYGATE_PROOF_CARDS", full=100_000, short=400)
CARDS_OF_A_KEY = 20 if scale.IS_FULL else 4  # so that many are to be wrapped anew
MERCHANT, PAN, EXPIRY = "mer_chaos", Pan("4242424242424242"), Expiry(month=12, year=2035)
CLIENTS, BATCH = 8, 1_000
# As an operator waits; where little is tried nobody has the time.
SETTLED = SETTLED_AFTER if scale.IS_FULL else timedelta(0)
STORE = """
INSERT INTO cards (merchant_id, token, data_key_id, ciphertext, create_time, use_time)
VALUES ($1, $2, $3, $4, now(), now())
"""


@dataclass
class Trade:
    """Clients that charge old cards and bring new ones."""

    rig: Rig
    tokens: list[str]
    charged: int = 0
    brought: int = 0
    failed: list[str] = field(default_factory=list)

    async def run(self, over: asyncio.Event, seed: int) -> None:
        """Go on until it is over."""
        dice = random.Random(seed)
        while not over.is_set():
            request = service.AuthorizeRequest(amount=gbp(100))
            is_new = dice.random() < 0.3
            if is_new:
                request.card_details.CopyFrom(CARD)
            else:
                request.card_token = dice.choice(self.tokens)
            try:
                reply: Any = await self.rig.call(request, worker=seed)
            except aio.AioRpcError as problem:
                self.failed.append(reason_of(problem))
                continue
            if reply.payment.status != pb.Payment.STATUS_AUTHORIZED:
                self.failed.append(pb.Payment.Status.Name(reply.payment.status))
            if is_new:
                self.tokens.append(reply.payment.card.token)
            self.brought += is_new
            self.charged += not is_new


async def sealed(pool: Pool, keyring: Path, rig: Rig) -> list[str]:
    """Store cards as a worker does, and return their tokens."""
    keys = DataKeys(pool, LocalWrapper(keyring), lifetime_seconds=900, uses_max=CARDS_OF_A_KEY)
    vault, tokens = CardVault(pool, keys), list[str]()
    for start in range(0, CARDS, BATCH):
        cards = [
            await vault.seal(MERCHANT, PAN, EXPIRY, datetime.now(UTC))
            for _ in range(min(BATCH, CARDS - start))
        ]
        rows = [(MERCHANT, one.token, one.data_key_id, one.ciphertext) for one in cards]
        await rig.payments_book.executemany(STORE, rows)
        tokens += [one.token for one in cards]
    return tokens


async def all_open(pool: Pool, keyring: Path, tokens: list[str]) -> int:
    """Return how many cards a process opens that has no key in memory."""
    keys = DataKeys(pool, LocalWrapper(keyring), lifetime_seconds=900, uses_max=1)
    vault, opened = CardVault(pool, keys), 0
    for token in tokens:
        card = await vault.open(MERCHANT, token)
        opened += isinstance(card, CardDetails) and (card.pan, card.expiry) == (PAN, EXPIRY)
    return opened


async def rotated(rotation: VaultRotation) -> tuple[int, int]:
    """Rotate; return the version, and how many keys were wrapped anew."""
    version, rewrapped = await rotation.rotate(), 0
    while (progress := await rotation.rewrap()).remaining:
        rewrapped += progress.rewrapped
    rewrapped += progress.rewrapped
    deadline = time.monotonic() + SETTLED.total_seconds() + 30
    while await rotation.refuse_older() is None:
        assert time.monotonic() < deadline, "older versions are never refused"
        rewrapped += (await rotation.rewrap()).rewrapped
        await asyncio.sleep(0.2)
    return version, rewrapped


async def test_rotation_under_load(payments_database_url: str, acquirer_database_url: str) -> None:
    """The old key is refused in the end, every card opens, and no client has noticed."""
    began, over = datetime.now(UTC), asyncio.Event()
    rig = Rig(payments_database_url, acquirer_database_url, ahead_seconds=OF_A_RIG)
    rig.vault["PAYGATE_VAULT_DATA_KEY_USES_MAX"] = str(CARDS_OF_A_KEY)
    async with rig, AsyncExitStack() as stack:
        keyring = Path(rig.vault["PAYGATE_VAULT_KEYRING"])
        url = as_part(payments_database_url, "paygate_vault")
        pool = await open_pool(url, size=2, command_timeout_seconds=20, name="test")
        await stack.enter_async_context(pool)
        trade = Trade(rig, await sealed(pool, keyring, rig))
        trading = [asyncio.create_task(trade.run(over, seed)) for seed in range(CLIENTS)]
        started = time.monotonic()
        rotation = VaultRotation(pool, LocalWrapper(keyring), settled_after=SETTLED)
        version, rewrapped = await rotated(rotation)
        took, meanwhile = time.monotonic() - started, trade.charged
        over.set()
        await asyncio.gather(*trading)
        wrapped = await rig.payments_book.fetch("SELECT wrapped FROM data_keys")
        with record.outcome("rotation", began) as figures:
            figures |= {"cards": len(trade.tokens), "data_keys": len(wrapped)}
            figures |= {"rewrapped": rewrapped, "seconds": round(took, 1)}
            figures |= {"charged_meanwhile": meanwhile, "brought_meanwhile": trade.brought}
            figures["failed_calls"] = len(trade.failed)
            assert not trade.failed, trade.failed[:5]
            assert all(f":v{version}:" in row["wrapped"] for row in wrapped)
            assert trade.charged
            figures["opened"] = await all_open(pool, keyring, trade.tokens)
            assert figures["opened"] == len(trade.tokens)
        await rig.settled()
        await rig.assert_books_agree()
