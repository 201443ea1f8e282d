"""The card vault: AES-256-GCM (NIST SP 800-38D) under data keys of the merchant.

A card's number and expiry are encrypted here; the commit of the authorization stores the result.
A CVV never gets here.
"""

from datetime import datetime
from pathlib import Path

import structlog
from cryptography.exceptions import InvalidTag

from pkg.errors import DependencyUnavailableError
from pkg.ids import new_id
from pkg.postgres.sql import Pool, statements, translated
from services.payments.adapters.vault.keys import NONCE_BYTES, DataKeys
from services.payments.domain.card import Expiry, Pan, Removal
from services.payments.ports import CardDetails, SealedCard

logger = structlog.get_logger()

SQL = statements(Path(__file__).parent / "sql")

# Before the nonce: a later way of sealing can be told from this one.
FORMAT = b"\x01"
# All cards are equally long, so that the length of a ciphertext says nothing about the number's.
_PAN_DIGITS_MAX = 19


class CardVault:
    """Seals and opens cards; see `ports.Vault`.

    Args:
        pool: Of the one role that can read ciphertext.
        keys: The data keys.
    """

    def __init__(self, pool: Pool, keys: DataKeys) -> None:
        self._pool = pool
        self._keys = keys

    async def seal(self, merchant_id: str, pan: Pan, expiry: Expiry, now: datetime) -> SealedCard:
        """Encrypt a card for one merchant, under a fresh token.

        Raises:
            DependencyUnavailableError: There is no data key to be had.
        """
        key = await self._keys.to_seal(merchant_id)
        token = new_id("tok", now)
        card = f"{pan.reveal():<{_PAN_DIGITS_MAX}}{expiry.year:04}{expiry.month:02}".encode()
        nonce = key.next_nonce()
        box = key.cipher.encrypt(nonce, card, _place(merchant_id, token, FORMAT))
        return SealedCard(token=token, data_key_id=key.id, ciphertext=FORMAT + nonce + box)

    async def open(self, merchant_id: str, token: str) -> CardDetails | Removal | None:
        """Return the merchant's card of that token, or why it is gone; None if there was none.

        Raises:
            DependencyUnavailableError: Its data key is not to be had, or it does not open.
        """
        with translated():
            row = await self._pool.fetchrow(SQL["open_card"], merchant_id, token)
            if row is not None and row["is_stale"]:
                await self._pool.execute(SQL["touch_card"], merchant_id, token)
        if row is None:
            return None
        if row["cause"] is not None:
            return Removal(row["cause"])
        cipher = await self._keys.to_open(merchant_id, row["data_key_id"], row["wrapped"])
        sealed: bytes = row["ciphertext"]
        nonce, box = sealed[len(FORMAT) :][:NONCE_BYTES], sealed[len(FORMAT) + NONCE_BYTES :]
        # The place holds the format: what has another one does not open.
        place = _place(merchant_id, token, sealed[: len(FORMAT)])
        try:
            card = cipher.decrypt(nonce, box, place).decode()
        except InvalidTag:
            logger.error("a stored card does not open", token=token)  # noqa: TRY400  # no text of it
            raise DependencyUnavailableError from None
        pan, year, month = card[:_PAN_DIGITS_MAX].rstrip(), card[-6:-2], card[-2:]
        return CardDetails(Pan(pan), Expiry(int(year), int(month)), None)


class NoVault:
    """Takes no card and has none: for processes that need no cards and cannot get at any."""

    async def seal(  # the port's signature
        self,
        merchant_id: str,  # noqa: ARG002
        pan: Pan,  # noqa: ARG002
        expiry: Expiry,  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> SealedCard:
        """Refuse."""
        raise DependencyUnavailableError

    async def open(
        self,
        merchant_id: str,  # noqa: ARG002
        token: str,  # noqa: ARG002
    ) -> CardDetails | Removal | None:
        """Refuse."""
        raise DependencyUnavailableError


def _place(merchant_id: str, token: str, version: bytes) -> bytes:
    # NUL can be in no id: no two places run together.
    return b"\0".join((b"card", version, merchant_id.encode(), token.encode()))
