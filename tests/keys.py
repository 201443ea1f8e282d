"""Merchants and keys for tests that have a database and no operator."""

from contextlib import suppress

from pkg.grpc.auth import KeyDigest, new_api_key
from pkg.grpc.scopes import FULL_ACCESS, Scopes
from pkg.postgres.sql import open_pool
from pkg.secret import Secret
from services.payments.admin.errors import MerchantExistsError
from services.payments.admin.keys import NewKey, PostgresKeys
from services.payments.admin.merchants import PostgresMerchants
from tests.database import as_part


async def new_key(url: str, merchant_id: str, *, pepper: str, scopes: Scopes = FULL_ACCESS) -> str:
    """Make a key as the admin process does, and the merchant if there is none; return the key.

    Args:
        url: Of the gateway's database, as its owner.
        merchant_id: Whose key.
        pepper: What the gateway under test hashes keys under.
        scopes: What it may be used for.
    """
    return await new_key_by(as_part(url, "paygate_admin"), merchant_id, pepper, scopes)


async def new_key_by(part: str, merchant_id: str, pepper: str, scopes: Scopes = FULL_ACCESS) -> str:
    """Do the same with the address of the admin process."""
    key_id, api_key = new_api_key()
    async with await open_pool(part, size=1, command_timeout_seconds=5, name="test") as pool:
        with suppress(MerchantExistsError):
            await PostgresMerchants(pool).create(merchant_id=merchant_id, name=merchant_id)
        new = NewKey(id=key_id, digest=KeyDigest(Secret(pepper)).of(api_key))
        await PostgresKeys(pool).create(merchant_id, new, name="test", scopes=scopes)
    return api_key
