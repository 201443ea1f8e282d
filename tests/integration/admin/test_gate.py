"""The way in for the operator: the token, the lines in the log, and what the role may do."""

import asyncpg
import grpc
import pytest
from grpc import aio
from structlog.testing import capture_logs

from paygate.admin.v1 import admin_service_pb2 as pb
from tests.database import as_part
from tests.integration.admin.served import MERCHANT, TOKEN, Api

EVERY = [
    pb.CreateMerchantRequest(id="mer_x", name="x"),
    pb.GetMerchantRequest(id=MERCHANT),
    pb.ListMerchantsRequest(),
    pb.DisableMerchantRequest(id=MERCHANT),
    pb.EnableMerchantRequest(id=MERCHANT),
    pb.CreateApiKeyRequest(merchant_id=MERCHANT),
    pb.ListApiKeysRequest(merchant_id=MERCHANT),
    pb.RotateApiKeyRequest(id="0" * 16),
    pb.RevokeApiKeyRequest(id="0" * 16),
    pb.ListStuckActionsRequest(),
    pb.ResolveActionRequest(id="act_01h455vb4pex5vsknk084sn02q"),
    pb.RotateVaultKeyRequest(),
    pb.RewrapDataKeysRequest(),
    pb.RefuseOldVaultKeysRequest(),
]


def test_every_method_is_tried() -> None:
    """A new method of the service needs a row here."""
    methods = pb.DESCRIPTOR.services_by_name["AdminService"].methods
    assert {method.input_type.name for method in methods} == {type(one).__name__ for one in EVERY}


@pytest.mark.parametrize("request_", EVERY, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    "authorization",
    [(), ("",), ("Bearer ",), (TOKEN,), (f"Bearer {TOKEN[:-1]}",), (f"Bearer {TOKEN}",) * 2],
    ids=["nothing", "empty", "no token", "no scheme", "a part of it", "twice"],
)
async def test_without_the_token_nothing_is_told(
    admin: Api, request_: object, authorization: tuple[str, ...]
) -> None:
    """Every method refuses, before it looks at the request, and always alike."""
    metadata = (("x-any", "1"), *(("authorization", value) for value in authorization))
    with pytest.raises(aio.AioRpcError) as refused:
        await admin.ask(request_, *metadata)  # type: ignore[arg-type]
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert refused.value.details() == "The admin token is missing or not valid."


async def test_every_action_leaves_a_line_and_no_secret(admin: Api) -> None:
    """Who did what to which merchant or key, and how it ended; never a key or the token."""
    bearer = ("authorization", f"Bearer {TOKEN}")
    who = ("paygate-operator", "ada@example")
    with capture_logs() as lines:
        request = pb.CreateApiKeyRequest(merchant_id=MERCHANT, name="till")
        made = await admin.ask(request, bearer, who)
        await admin.ask(pb.RevokeApiKeyRequest(id=made.api_key.id), bearer, who)
        pasted = pb.RevokeApiKeyRequest(id=made.secret)
        await admin.refused(pasted, bearer, ("paygate-operator", "{a}"))
        await admin.refused(pb.GetMerchantRequest(id=MERCHANT), ("authorization", made.secret))
    told = [(line["action"], line["outcome"], line["operator"], line["asked"]) for line in lines]
    assert told == [
        ("CreateApiKey", "DONE", "ada@example", {"merchant_id": MERCHANT, "name": "till"}),
        ("RevokeApiKey", "DONE", "ada@example", {"id": made.api_key.id}),
        ("RevokeApiKey", "VALIDATION_FAILED", "", {}),
        ("GetMerchant", "INVALID_ADMIN_TOKEN", "", {"id": MERCHANT}),
    ]
    assert [line.get("api_key") for line in lines[:2]] == [made.api_key.id] * 2
    assert all(line["peer"] for line in lines)
    assert made.secret.split("_")[2] not in str(lines)
    assert TOKEN not in str(lines)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM payments",
        "SELECT * FROM idempotency_keys",
        "SELECT * FROM webhook_secrets",
        "SELECT digest FROM api_keys",
        "UPDATE api_keys SET digest = digest",
        "UPDATE api_keys SET scopes = scopes",
        "DELETE FROM api_keys",
        "DELETE FROM merchants",
    ],
)
async def test_the_role_does_its_part_only(payments_database_url: str, statement: str) -> None:
    """The operator's process sees no payment and no digest, and removes nothing."""
    connection = await asyncpg.connect(as_part(payments_database_url, "paygate_admin"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("part", ["paygate_gateway", "paygate_reader", "paygate_webhooks"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM api_keys",
        "DELETE FROM merchants",
        "UPDATE api_keys SET revoke_time = NULL",
        "UPDATE merchants SET disable_time = NULL",
        "INSERT INTO api_keys (merchant_id, id, digest, create_time) VALUES ('', '', '', now())",
    ],
)
async def test_others_change_no_keys(payments_database_url: str, part: str, statement: str) -> None:
    """What is reachable from outside makes no key and ends none."""
    connection = await asyncpg.connect(as_part(payments_database_url, part))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()
