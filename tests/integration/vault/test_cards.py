"""Cards in the vault: stored with their authorization, encrypted, and each merchant's own."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest

from pkg.errors import DependencyUnavailableError
from services.payments.adapters.vault.cards import CardVault
from services.payments.adapters.vault.rotation import VaultRotation
from services.payments.domain.card import Expiry, Pan
from services.payments.ports import CardDetails, Change, CommitResult, SealedCard
from tests.builders import MERCHANT, NOW, begun
from tests.integration.vault.conftest import Fixture

PAN, EXPIRY = Pan("4242424242424242"), Expiry(2030, 12)


def charging(card: SealedCard, merchant_id: str = MERCHANT) -> Change:
    """Return the first commit of an authorization on that card."""
    payment, action = begun(merchant_id=merchant_id)
    payment = replace(payment, card=replace(payment.card, token=card.token))
    return Change(payment=payment, actions=(action,), card=card)


async def stored(
    vault: Fixture, worker: CardVault, *, pan: Pan = PAN, merchant_id: str = MERCHANT
) -> SealedCard:
    """Seal a card and commit it with an authorization."""
    card = await worker.seal(merchant_id, pan, EXPIRY, NOW)
    change = charging(card, merchant_id)
    assert await vault.store.commit(change) is CommitResult.COMMITTED
    loaded = await vault.store.load(merchant_id, change.payment.id, rpc="", key=None)
    assert loaded.payment == change.payment
    return card


async def test_a_card_comes_back_without_its_cvv(vault: Fixture) -> None:
    """What one worker has sealed, another one opens: number and expiry, and nothing else."""
    card = await stored(vault, vault.worker())
    found = await vault.worker().open(MERCHANT, card.token)
    assert isinstance(found, CardDetails)
    assert (found.pan, found.expiry, found.cvv) == (PAN, EXPIRY, None)
    assert card.token.startswith("tok_")


@pytest.mark.parametrize("digits", ["4242424242424242", "378282246310005", "6304000000000000018"])
async def test_a_number_of_any_length_comes_back(vault: Fixture, digits: str) -> None:
    """And how long it is does not show in the ciphertext."""
    card = await stored(vault, vault.worker(), pan=Pan(digits))
    found = await vault.worker().open(MERCHANT, card.token)
    assert isinstance(found, CardDetails)
    assert found.pan == Pan(digits)
    assert len(card.ciphertext) == 1 + 12 + 25 + 16


async def test_no_table_holds_the_number(vault: Fixture) -> None:
    """Neither the database nor the two secrets beside each other in it give a number away."""
    await stored(vault, vault.worker())
    rows = await vault.owner.fetch("SELECT c.*, k.* FROM cards c, data_keys k")
    assert len(rows) == 1
    for value in rows[0].values():
        assert PAN.reveal() not in str(value)
        assert not isinstance(value, bytes) or PAN.reveal().encode() not in value


async def test_a_card_that_was_not_committed_is_not_there(vault: Fixture) -> None:
    """A token comes into being with its authorization; others, and other merchants', are none."""
    worker = vault.worker()
    card = await worker.seal(MERCHANT, PAN, EXPIRY, NOW)
    assert await worker.open(MERCHANT, card.token) is None
    other = await stored(vault, worker, merchant_id="mer_b")
    assert await worker.open(MERCHANT, other.token) is None
    assert await worker.open("mer_b", other.token)


async def test_a_refused_change_stores_no_card(vault: Fixture) -> None:
    """A twin that comes second with the same idempotency key leaves nothing in the vault."""
    worker, key, fates = vault.worker(), "order-1", []
    for _ in range(2):
        card = await worker.seal(MERCHANT, PAN, EXPIRY, NOW)
        change = charging(card)
        keyed = replace(change.actions[0], idempotency_key=key)
        change = replace(change, actions=(keyed,), fingerprint=b"f")
        fates.append((await vault.store.commit(change), await worker.open(MERCHANT, card.token)))
    assert [fate for fate, _ in fates] == [CommitResult.COMMITTED, CommitResult.KEY_HELD]
    assert [found is not None for _, found in fates] == [True, False]


async def test_a_ciphertext_is_bound_to_its_place(vault: Fixture) -> None:
    """Moved to another token or merchant, changed, or of another format, it does not open."""
    one, two = await stored(vault, vault.worker()), await stored(vault, vault.worker())
    await vault.owner.execute(
        "UPDATE cards c SET ciphertext = o.ciphertext, data_key_id = o.data_key_id"
        " FROM cards o WHERE c.token = $1 AND o.token = $2",
        one.token,
        two.token,
    )
    with pytest.raises(DependencyUnavailableError):
        await vault.worker().open(MERCHANT, one.token)
    for changed in (b"\x02" + two.ciphertext[1:], two.ciphertext[:-1] + b"\0"):
        await vault.owner.execute(
            "UPDATE cards SET ciphertext = $2 WHERE token = $1", two.token, changed
        )
        with pytest.raises(DependencyUnavailableError):
            await vault.worker().open(MERCHANT, two.token)


async def test_only_the_vaults_role_reads_ciphertext(vault: Fixture) -> None:
    """Whoever stores payments can add a card and remove it, and neither read nor change one."""
    await stored(vault, vault.worker())
    for refused in (
        "SELECT ciphertext FROM cards",
        "SELECT wrapped FROM data_keys",
        "UPDATE cards SET ciphertext = ''",
        "DELETE FROM cards RETURNING ciphertext",
        "UPDATE cards SET expire_time = now()",
        "DELETE FROM removed_cards",
        "INSERT INTO data_keys VALUES ('m', 'k', 'w', now())",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await vault.gateway_pool.execute(refused)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await vault.vault_pool.execute("DELETE FROM data_keys")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await vault.vault_pool.execute("SELECT * FROM payments")


async def test_one_data_key_serves_many_cards(vault: Fixture) -> None:
    """However many come at once, one key is asked for; every merchant has its own."""
    worker = vault.worker()
    cards = await asyncio.gather(
        *(worker.seal(merchant_id, PAN, EXPIRY, NOW) for merchant_id in ("mer_a", "mer_b") * 50)
    )
    assert vault.wrapper.calls == 2
    assert len({card.data_key_id for card in cards}) == 2
    nonces = {(card.data_key_id, card.ciphertext[1:13]) for card in cards}
    assert len(nonces) == len(cards)


async def test_a_data_key_is_used_so_often_and_so_long(vault: Fixture) -> None:
    """After so many cards, or so much time, the next card gets a fresh key."""
    worker = vault.worker(uses_max=3, lifetime_seconds=60)
    ids = [(await worker.seal(MERCHANT, PAN, EXPIRY, NOW)).data_key_id for _ in range(7)]
    assert [ids.count(one) for one in dict.fromkeys(ids)] == [3, 3, 1]
    vault.time += 59
    assert (await worker.seal(MERCHANT, PAN, EXPIRY, NOW)).data_key_id == ids[-1]
    vault.time += 1
    assert (await worker.seal(MERCHANT, PAN, EXPIRY, NOW)).data_key_id not in ids


async def test_opened_keys_are_kept_as_long(vault: Fixture) -> None:
    """A second look at a card asks nobody; after the time is over it does."""
    card = await stored(vault, vault.worker())
    worker, before = vault.worker(lifetime_seconds=60), vault.wrapper.calls
    for _ in range(3):
        await worker.open(MERCHANT, card.token)
    assert vault.wrapper.calls == before + 1
    vault.time += 60
    await worker.open(MERCHANT, card.token)
    assert vault.wrapper.calls == before + 2


async def test_keys_do_not_stay_in_memory(vault: Fixture) -> None:
    """Those whose time is over are forgotten although nobody asks for them; all are on demand."""
    keys = vault.keys(lifetime_seconds=60)
    worker = CardVault(vault.vault_pool, keys)
    card = await stored(vault, worker)
    await worker.open(MERCHANT, card.token)
    assert (len(keys._sealing), len(keys._opened)) == (1, 1)
    vault.time += 60
    keys.purge()
    assert (len(keys._sealing), len(keys._opened)) == (0, 0)
    await worker.seal(MERCHANT, PAN, EXPIRY, NOW)
    keys.drop()
    assert not keys._sealing


async def test_rotation_while_cards_come_and_go(vault: Fixture) -> None:
    """All data keys are wrapped anew, no card is lost, and then the old versions are refused."""
    workers = [vault.worker(uses_max=2) for _ in range(3)]
    before = [await stored(vault, worker) for worker in workers for _ in range(4)]
    rotation = VaultRotation(
        vault.vault_pool,
        vault.wrapper,  # type: ignore[arg-type]  # it is whatever it wraps
        settled_after=timedelta(0),
    )

    async def trade() -> list[SealedCard]:
        return [await stored(vault, worker) for worker in workers for _ in range(10)]

    trading = asyncio.create_task(trade())
    version = await rotation.rotate()
    assert await rotation.refuse_older() is None
    meanwhile = await trading
    while (progress := await rotation.rewrap()).remaining:
        assert progress.rewrapped
    assert progress.version == version
    wrapped = await vault.owner.fetch("SELECT wrapped FROM data_keys")
    assert all(f":v{version}:" in row["wrapped"] for row in wrapped)
    assert await rotation.refuse_older() == version
    fresh = vault.worker()
    for card in (*before, *meanwhile):
        assert await fresh.open(MERCHANT, card.token)


async def test_a_version_that_is_too_young_is_not_the_only_one_yet(vault: Fixture) -> None:
    """A worker may be about to store a key that the version before has wrapped."""
    rotation = VaultRotation(vault.vault_pool, vault.wrapper)  # type: ignore[arg-type]  # as above
    await rotation.rotate()
    assert await rotation.refuse_older() is None
