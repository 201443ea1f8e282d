"""The demo merchant's key, which `make run` keeps: it is for all that there is to call."""

from pathlib import Path

import pytest

from paygate.admin.v1 import admin_service_pb2 as pb
from paygate.auth.v1.scope_pb2 import SCOPE_PAYMENTS, SCOPE_SANDBOXES, SCOPE_WEBHOOKS
from tests.integration.admin.served import TOKEN, Api
from tools.stack import demo
from tools.stack.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data folder with the operator's token."""
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "paygate_admin_token").write_text(TOKEN)
    return Settings(
        port=1,
        data_dir=tmp_path,
        workers=1,
        database_url="",
        acquirer_database_url="",
        keyring=tmp_path,
    )


def kept_in(data_dir: Path) -> Path:
    """Return the file with the key."""
    (found,) = data_dir.glob("demo-key-*")
    return found


async def live(admin: Api) -> dict[str, set[int]]:
    """Return what the live keys are for."""
    keys = (await admin.ask(pb.ListApiKeysRequest(merchant_id=demo.MERCHANT))).api_keys
    return {one.id: set(one.scopes) for one in keys if one.status == pb.ApiKey.STATUS_LIVE}


async def test_a_key_from_before_there_were_sandboxes_gets_company(
    admin: Api, settings: Settings
) -> None:
    """It works on; the kept one is a new one, while the merchant may have one more."""
    first = await demo.key(settings, admin_address=admin.address)
    assert await demo.key(settings, admin_address=admin.address) == first
    kept = kept_in(settings.data_dir)
    await admin.ask(pb.RevokeApiKeyRequest(id=first.split("_")[1]))
    scopes = [SCOPE_PAYMENTS, SCOPE_WEBHOOKS]
    old = (await admin.ask(pb.CreateApiKeyRequest(merchant_id=demo.MERCHANT, scopes=scopes))).secret
    kept.write_text(old)
    new = await demo.key(settings, admin_address=admin.address)
    found = await live(admin)
    assert SCOPE_SANDBOXES in found.pop(new.split("_")[1])
    assert found == {old.split("_")[1]: set(scopes)}
    kept.write_text(old)  # there is no room: nobody's key ends for it
    assert await demo.key(settings, admin_address=admin.address) == old
    assert len(await live(admin)) == demo.KEYS_MAX


async def test_a_key_that_is_lost_is_made_anew_again_and_again(
    admin: Api, settings: Settings
) -> None:
    """Where the merchant has as many as it may have, one that was made here makes room."""
    made = [await demo.key(settings, admin_address=admin.address)]
    for _ in range(3):
        kept_in(settings.data_dir).unlink()
        made.append(await demo.key(settings, admin_address=admin.address))
        assert made[-1].split("_")[1] in await live(admin)
    assert len(set(made)) == 4
    assert len(await live(admin)) == demo.KEYS_MAX
