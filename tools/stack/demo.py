"""The demo merchant and its key, made as an operator makes them."""

import hashlib
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message
from grpc import aio

from paygate.admin.v1 import admin_service_pb2 as pb
from paygate.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from paygate.auth.v1.scope_pb2 import SCOPE_SANDBOXES
from pkg.process.called import RUN
from tools.stack import folder
from tools.stack.errors import StackError
from tools.stack.settings import Settings

MERCHANT, MERCHANT_NAME = "mer_demo", "Demo merchant"
KEY_NAME = f"made by {RUN}"
KEYS_MAX = 2  # that a merchant has
CALL_SECONDS_MAX = 10.0


async def key(settings: Settings, *, admin_address: str) -> str:
    """Return the demo merchant's key: the one that was kept, or a new one if that works no more.

    Raises:
        StackError: The admin process refuses.
    """
    kept = _kept(settings)
    token = (settings.secrets / "paygate_admin_token").read_text().strip()
    async with aio.insecure_channel(admin_address) as channel:
        demo = _Demo(AdminServiceStub(channel), token)
        try:
            await demo.make_merchant()
            there = kept.read_text().strip() if kept.exists() else ""
            if not await demo.will_do(there):
                there = await demo.new_key()
                folder.write(kept, there)
        except aio.AioRpcError as problem:
            said = problem.details()
            raise StackError(f"The demo merchant's key could not be made: {said}") from problem
    return there


class _Demo:
    """The demo merchant.

    Args:
        stub: Of the admin API.
        token: That it asks for.
    """

    def __init__(self, stub: AdminServiceStub, token: str) -> None:
        self._stub = stub
        self._metadata = (("authorization", f"Bearer {token}"), ("paygate-operator", "make-run"))

    async def make_merchant(self) -> None:
        """Make it, unless it is there."""
        try:
            await self._ask(pb.CreateMerchantRequest(id=MERCHANT, name=MERCHANT_NAME))
        except aio.AioRpcError as problem:
            if problem.code() is not grpc.StatusCode.ALREADY_EXISTS:
                raise

    async def will_do(self, api_key: str) -> bool:
        """Say whether a key that was kept still works, for all that there is to call.

        It may have been revoked since, or be from before there were sandboxes. Such a key stays,
        beside the new one, and is used on where there is no room for that: nobody's key is taken.
        """
        key_id, live = api_key.split("_")[1] if api_key else "", await self._live()
        kept = next((one for one in live if one.id == key_id), None)
        return kept is not None and (SCOPE_SANDBOXES in kept.scopes or len(live) == KEYS_MAX)

    async def new_key(self) -> str:
        """Make a key; where there are two, in the place of an old one, made here if one was."""
        live = await self._live()
        ours = [one for one in live if one.name == KEY_NAME]
        if len(live) == KEYS_MAX:
            await self._ask(pb.RevokeApiKeyRequest(id=(ours or live)[-1].id))
        made = await self._ask(pb.CreateApiKeyRequest(merchant_id=MERCHANT, name=KEY_NAME))
        return str(made.secret)

    async def _live(self) -> list[pb.ApiKey]:
        request = pb.ListApiKeysRequest(merchant_id=MERCHANT, page_size=100)
        keys = (await self._ask(request)).api_keys
        return [one for one in keys if one.status == pb.ApiKey.STATUS_LIVE]

    async def _ask(self, request: Message) -> Any:
        method = getattr(self._stub, type(request).__name__.removesuffix("Request"))
        return await method(request, metadata=self._metadata, timeout=CALL_SECONDS_MAX)


def _kept(settings: Settings) -> Path:
    """Return where the key for this database is kept."""
    which = hashlib.sha256(settings.database_url.encode()).hexdigest()[:8]
    return settings.data_dir / f"demo-key-{which}"
