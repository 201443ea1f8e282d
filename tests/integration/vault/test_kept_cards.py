"""How long a card is kept: looked up in the table itself, which is all that there is of it."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.payments.adapters.vault.keys import KeyWrapper
from services.payments.domain.card import Expiry, Pan, Removal
from services.payments.domain.outcome import Approved, DeclineCode, Declined, Final, Rejected
from services.payments.domain.payment import Payment
from services.payments.ports import CardDetails, Change, CommitResult
from tests.builders import LATER, MERCHANT, NOW, begun, settled
from tests.integration.vault.conftest import Fixture

PAN, EXPIRY = Pan("4242424242424242"), Expiry(2030, 12)
RETENTION = timedelta(days=400)
EVER = datetime.fromisoformat("2100-01-01T00:00:00+00:00")
NOBODYS = "tok_01h455vb4pex5vsknk084sn02q"


@pytest.fixture
def wrapper(local: KeyWrapper) -> KeyWrapper:
    """One is enough: who wraps the keys is all the same here."""
    return local


async def authorized(
    vault: Fixture, answer: Final | None, *, token: str = "", expiry: Expiry = EXPIRY
) -> Payment:
    """Authorize on a new card, or on the card of a token; None leaves it PENDING."""
    step = begun(now=LATER if token else NOW)
    sealed = None if token else await vault.worker().seal(MERCHANT, PAN, expiry, NOW)
    card = replace(step[0].card, token=token or sealed.token, expiry=expiry)  # type: ignore[union-attr]
    step = (replace(step[0], card=card), step[1])
    change = Change(payment=step[0], actions=(step[1],), card=sealed)
    assert await vault.store.commit(change) is CommitResult.COMMITTED
    if answer is not None:
        payment, action = settled(step, answer, LATER)
        change = Change(payment=payment, actions=(action,))
        assert await vault.store.commit(change) is CommitResult.COMMITTED
        return payment
    return step[0]


async def stored(vault: Fixture) -> set[str]:
    """Return the tokens of the cards that the table holds."""
    return {row["token"] for row in await vault.owner.fetch("SELECT token FROM cards")}


async def purge(vault: Fixture, now: datetime, *, limit: int = 100) -> int:
    """Remove what is too old at that time."""
    return await vault.cards.purge(now=now, unused_since=now - RETENTION, limit=limit)


@pytest.mark.parametrize(
    "answer", [Declined(DeclineCode.CARD_DECLINED), Rejected()], ids=["no", "rejected"]
)
async def test_only_a_card_that_was_approved_is_kept(vault: Fixture, answer: Final) -> None:
    """The commit that records the decline removes the number; nothing is left to be done later."""
    kept = await authorized(vault, Approved())
    pending = await authorized(vault, None)
    failed = await authorized(vault, answer)
    assert await stored(vault) == {kept.card.token, pending.card.token}
    assert await vault.worker().open(MERCHANT, failed.card.token) is Removal.DECLINED


async def test_a_card_on_file_survives_a_decline(vault: Fixture) -> None:
    """It was good once: that the money is not there today says nothing of tomorrow."""
    token = (await authorized(vault, Approved())).card.token
    await authorized(vault, Declined(DeclineCode.INSUFFICIENT_FUNDS), token=token)
    assert isinstance(await vault.worker().open(MERCHANT, token), CardDetails)


async def test_its_merchant_removes_a_card(vault: Fixture) -> None:
    """Again is as good as once, also at once; what is nobody's or another's is not there."""
    token = (await authorized(vault, Approved())).card.token
    assert not await vault.cards.remove("mer_b", token, now=NOW)
    assert not await vault.cards.remove(MERCHANT, NOBODYS, now=NOW)
    assert await stored(vault) == {token}
    twins = (vault.cards.remove(MERCHANT, token, now=NOW) for _ in range(10))
    assert all(await asyncio.gather(*twins))
    assert await stored(vault) == set()
    assert await vault.cards.remove(MERCHANT, token, now=NOW)
    assert await vault.worker().open(MERCHANT, token) is Removal.DELETED
    assert await vault.worker().open("mer_b", token) is None


async def test_an_expired_card_is_removed(vault: Fixture) -> None:
    """When its last month is over, in UTC."""
    this = (await authorized(vault, Approved(), expiry=Expiry(2026, 11))).card.token
    later = (await authorized(vault, Approved(), expiry=Expiry(2026, 12))).card.token
    end = datetime.fromisoformat("2026-12-01T00:00:00+00:00")
    assert await purge(vault, end - timedelta(microseconds=1)) == 0
    assert await purge(vault, end) == 1
    assert await stored(vault) == {later}
    assert await vault.worker().open(MERCHANT, this) is Removal.EXPIRED


async def test_a_card_that_is_not_used_is_removed(vault: Fixture) -> None:
    """Counted from its last use, which is noted once a day."""
    idle = (await authorized(vault, Approved())).card.token
    used = (await authorized(vault, Approved())).card.token
    await vault.owner.execute(
        "INSERT INTO sandbox_clocks (merchant_id, ahead) VALUES ($1, '100 days')", MERCHANT
    )
    for _ in range(3):
        await vault.worker().open(MERCHANT, used)
    times = "SELECT token, use_time FROM cards"
    noted = {row["token"]: row["use_time"] for row in await vault.owner.fetch(times)}
    assert noted[idle] == NOW
    assert noted[used] > NOW + timedelta(days=99)
    assert await purge(vault, NOW + RETENTION) == 0
    assert await purge(vault, NOW + RETENTION + timedelta(seconds=1)) == 1
    assert await stored(vault) == {used}
    assert await vault.worker().open(MERCHANT, idle) is Removal.UNUSED


async def test_a_use_is_noted_once_a_day(vault: Fixture) -> None:
    """A card that is charged again and again is not written again and again."""
    token = (await authorized(vault, Approved())).card.token
    version = "SELECT xmin::text FROM cards"
    await vault.worker().open(MERCHANT, token)
    before = await vault.owner.fetchval(version)
    for _ in range(5):
        await vault.worker().open(MERCHANT, token)
    assert await vault.owner.fetchval(version) == before


async def test_many_are_removed_batch_by_batch(vault: Fixture) -> None:
    """Two sweeps at once share them, and none is removed twice."""
    for _ in range(12):
        await authorized(vault, Approved())
    done = []
    while any(counts := await asyncio.gather(*(purge(vault, EVER, limit=3) for _ in range(2)))):
        done += counts
    assert sum(done) == 12
    assert max(done) <= 3
    assert await stored(vault) == set()
    assert await vault.owner.fetchval("SELECT count(*) FROM removed_cards") == 12


async def test_what_the_version_before_stores_is_purged_too(vault: Fixture) -> None:
    """While both run, it writes cards without the new columns."""
    await authorized(vault, Approved())
    await vault.owner.execute(
        "INSERT INTO cards (merchant_id, token, data_key_id, ciphertext, create_time)"
        " SELECT merchant_id, 'tok_old', data_key_id, ciphertext, create_time FROM cards"
    )
    assert isinstance(await vault.owner.fetchval("SELECT min(use_time) FROM cards"), datetime)
    assert await purge(vault, EVER) == 2
