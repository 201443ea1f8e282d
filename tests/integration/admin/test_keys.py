"""Keys as the operator makes, rotates and ends them: two live ones at most, in every case."""

import asyncio

import asyncpg
import pytest
from grpc import aio

from paygate.admin.v1 import admin_service_pb2 as pb
from paygate.auth.v1 import scope_pb2
from pkg.errors import InvalidApiKeyError
from pkg.grpc.auth import Authenticator, Caller, KeyDigest
from pkg.grpc.key_store import PostgresKeyStore
from pkg.grpc.scopes import FULL_ACCESS, Scope
from pkg.postgres.sql import open_pool
from pkg.secret import Secret
from tests.chaos.rig import reason_of
from tests.database import as_part
from tests.integration.admin.served import MERCHANT, PEPPER, Api

AT_ONCE = 20
NO_KEY = "0" * 16


async def caller(url: str, api_key: str) -> Caller | None:
    """Return whose key it is to a worker that has never seen it; None if to nobody."""
    part = as_part(url, "paygate_gateway")
    async with await open_pool(part, size=1, command_timeout_seconds=5, name="test") as pool:
        authenticator = Authenticator(PostgresKeyStore(pool), KeyDigest(Secret(PEPPER)))
        try:
            return await authenticator.caller_of(f"Bearer {api_key}")
        except InvalidApiKeyError:
            return None


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ((), FULL_ACCESS),
        ((scope_pb2.SCOPE_READ_ONLY,), {Scope.READ_ONLY}),
        (
            (scope_pb2.SCOPE_WEBHOOKS, scope_pb2.SCOPE_PAYMENTS, scope_pb2.SCOPE_SANDBOXES),
            FULL_ACCESS,
        ),
    ],
)
async def test_a_key_works_with_its_scopes(
    admin: Api,
    payments_database_url: str,
    given: tuple[scope_pb2.Scope.ValueType, ...],
    meant: frozenset[Scope],
) -> None:
    """What was made is what a worker finds: the merchant, and what the key may be used for."""
    made = await admin.new_key(*given)
    assert await caller(payments_database_url, made.secret) == Caller(
        merchant_id=MERCHANT, key_id=made.api_key.id, scopes=frozenset(meant)
    )
    assert made.secret.split("_")[1] == made.api_key.id


async def test_a_key_is_stored_nowhere(admin: Api, payments_database_url: str) -> None:
    """Neither the key nor its secret part is in any column, and the role cannot read digests."""
    made = await admin.new_key()
    connection = await asyncpg.connect(payments_database_url)
    row = await connection.fetchrow("SELECT k::text AS all FROM api_keys k")
    await connection.close()
    assert row is not None
    assert made.api_key.id in row["all"]
    assert made.secret.split("_")[2] not in row["all"]


async def test_a_merchant_has_two_live_keys_at_most(admin: Api) -> None:
    """However many are asked for at once, two are made; a key that is revoked makes room."""
    asked = [admin.new_key() for _ in range(AT_ONCE)]
    results = await asyncio.gather(*asked, return_exceptions=True)
    made = [result for result in results if not isinstance(result, BaseException)]
    refused = [reason_of(result) for result in results if isinstance(result, aio.AioRpcError)]
    assert (len(made), set(refused)) == (2, {"API_KEY_LIMIT"})
    await admin.ask(pb.RevokeApiKeyRequest(id=made[0].api_key.id))
    third = (await admin.new_key()).api_key.id
    assert await admin.statuses() == {
        made[0].api_key.id: "REVOKED",
        made[1].api_key.id: "LIVE",
        third: "LIVE",
    }


async def test_the_database_itself_allows_no_third(admin: Api, payments_database_url: str) -> None:
    """A writer that counts wrong, or not at all, is refused by an index."""
    await admin.new_key()
    await admin.new_key()
    connection = await asyncpg.connect(payments_database_url)
    statement = (
        "INSERT INTO api_keys (merchant_id, id, digest, create_time, slot)"
        " VALUES ($1, 'third', $2, now(), $3)"
    )
    for slot in (1, 2):
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute(statement, MERCHANT, bytes(32), slot)
    with pytest.raises(asyncpg.CheckViolationError):
        await connection.execute(statement, MERCHANT, bytes(32), 3)
    await connection.close()


async def test_rotation_lets_both_keys_work_for_a_while(
    admin: Api, payments_database_url: str
) -> None:
    """The new key has name and scopes of the old one, which ends by itself."""
    request = pb.CreateApiKeyRequest(
        merchant_id=MERCHANT, name="till", scopes=[scope_pb2.SCOPE_PAYMENTS]
    )
    old = await admin.ask(request)
    rotated = await admin.ask(pb.RotateApiKeyRequest(id=old.api_key.id, overlap_seconds=1))
    assert (rotated.api_key.name, list(rotated.api_key.scopes)) == (
        "till",
        [scope_pb2.SCOPE_PAYMENTS],
    )
    assert await caller(payments_database_url, old.secret)
    assert await caller(payments_database_url, rotated.secret)
    async with asyncio.timeout(5):
        while await caller(payments_database_url, old.secret):
            await asyncio.sleep(0.05)
    assert await caller(payments_database_url, rotated.secret)
    assert (await admin.statuses())[old.api_key.id] == "EXPIRED"
    await admin.new_key()  # what has expired makes room


async def test_rotation_without_overlap_ends_the_old_key_at_once(
    admin: Api, payments_database_url: str
) -> None:
    """Then there is room for it also beside another live key; otherwise there is not."""
    first, second = await admin.new_key(), await admin.new_key()
    with_overlap = pb.RotateApiKeyRequest(id=first.api_key.id)
    assert await admin.refused(with_overlap) == "API_KEY_LIMIT"
    assert await caller(payments_database_url, first.secret)
    rotated = await admin.ask(pb.RotateApiKeyRequest(id=first.api_key.id, overlap_seconds=0))
    assert not await caller(payments_database_url, first.secret)
    assert await caller(payments_database_url, second.secret)
    assert await caller(payments_database_url, rotated.secret)


async def test_rotations_at_once_make_no_third_key(admin: Api) -> None:
    """Of many rotations of one key that overlap, one goes through."""
    key_id = (await admin.new_key()).api_key.id
    asked = [admin.ask(pb.RotateApiKeyRequest(id=key_id)) for _ in range(AT_ONCE)]
    results = await asyncio.gather(*asked, return_exceptions=True)
    refused = [reason_of(result) for result in results if isinstance(result, aio.AioRpcError)]
    assert refused == ["API_KEY_LIMIT"] * (AT_ONCE - 1)
    assert list((await admin.statuses()).values()) == ["LIVE", "LIVE"]


async def test_revoking_twice_is_no_error_and_rotating_after_it_is(admin: Api) -> None:
    """The first time of revocation stays; an ended key has no successor."""
    key_id = (await admin.new_key()).api_key.id
    first = await admin.ask(pb.RevokeApiKeyRequest(id=key_id))
    assert await admin.ask(pb.RevokeApiKeyRequest(id=key_id)) == first
    assert await admin.refused(pb.RotateApiKeyRequest(id=key_id)) == "API_KEY_ENDED"


async def test_keys_of_a_disabled_merchant_do_not_work(
    admin: Api, payments_database_url: str
) -> None:
    """They do again once it is enabled, and the first time of disabling stays."""
    secret = (await admin.new_key()).secret
    disabled = await admin.ask(pb.DisableMerchantRequest(id=MERCHANT))
    assert disabled.merchant.status == pb.Merchant.STATUS_DISABLED
    assert not await caller(payments_database_url, secret)
    again = await admin.ask(pb.DisableMerchantRequest(id=MERCHANT))
    assert again.merchant.disable_time == disabled.merchant.disable_time
    enabled = await admin.ask(pb.EnableMerchantRequest(id=MERCHANT))
    assert enabled.merchant.status == pb.Merchant.STATUS_ENABLED
    assert not enabled.merchant.HasField("disable_time")
    assert await caller(payments_database_url, secret)


async def test_keys_are_listed_newest_first_by_the_page(admin: Api) -> None:
    """Pages follow each other, whatever became of the keys."""
    made = []
    for _ in range(5):
        made.append((await admin.new_key()).api_key.id)
        await admin.ask(pb.RevokeApiKeyRequest(id=made[-1]))
    found, token = [], ""
    while True:
        request = pb.ListApiKeysRequest(merchant_id=MERCHANT, page_size=2, page_token=token)
        page = await admin.ask(request)
        assert len(page.api_keys) <= 2
        found += [key.id for key in page.api_keys]
        token = page.next_page_token
        if not token:
            break
    assert found == made[::-1]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (pb.CreateApiKeyRequest(merchant_id="mer_nobody"), "MERCHANT_NOT_FOUND"),
        (pb.ListApiKeysRequest(merchant_id="mer_nobody"), "MERCHANT_NOT_FOUND"),
        (pb.RotateApiKeyRequest(id=NO_KEY), "API_KEY_NOT_FOUND"),
        (pb.RevokeApiKeyRequest(id=NO_KEY), "API_KEY_NOT_FOUND"),
        (pb.CreateApiKeyRequest(), "VALIDATION_FAILED"),
        (pb.CreateApiKeyRequest(merchant_id=MERCHANT, name="a\nb"), "VALIDATION_FAILED"),
        (
            pb.CreateApiKeyRequest(merchant_id=MERCHANT, scopes=[scope_pb2.SCOPE_UNSPECIFIED]),
            "VALIDATION_FAILED",
        ),
        (pb.RotateApiKeyRequest(id=""), "VALIDATION_FAILED"),
        (pb.RotateApiKeyRequest(id=NO_KEY, overlap_seconds=604_801), "VALIDATION_FAILED"),
        (pb.RotateApiKeyRequest(id=NO_KEY, overlap_seconds=-1), "VALIDATION_FAILED"),
        (pb.RevokeApiKeyRequest(id=f"sk_{NO_KEY}_{'0' * 64}"), "VALIDATION_FAILED"),
        (pb.ListApiKeysRequest(merchant_id=MERCHANT, page_size=101), "VALIDATION_FAILED"),
        (pb.ListApiKeysRequest(merchant_id=MERCHANT, page_token="no id"), "INVALID_PAGE_TOKEN"),
    ],
    ids=str,
)
async def test_what_makes_no_sense_is_refused(admin: Api, request_: object, reason: str) -> None:
    """Each wrong request has its reason."""
    assert await admin.refused(request_) == reason  # type: ignore[arg-type]
