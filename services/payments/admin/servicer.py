"""The RPCs of the operator: read the request, ask the store, return the response. Nothing else."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from paygate.admin.v1 import admin_service_pb2 as pb
from paygate.admin.v1.admin_service_pb2_grpc import AdminServiceServicer
from pkg.grpc.auth import KeyDigest, new_api_key
from pkg.grpc.guard import Context
from pkg.replies.once import OPERATOR, Once
from services.payments.admin import requests
from services.payments.admin.actions import PostgresActions
from services.payments.admin.codec import encode_key, encode_merchant, encode_stuck_action
from services.payments.admin.errors import OldVaultKeysInUseError, VaultNotOpenError
from services.payments.admin.keys import NewKey, PostgresKeys
from services.payments.admin.merchants import PostgresMerchants
from services.payments.admin.vault import VaultKey

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection


class AdminServicer(AdminServiceServicer):
    """paygate.admin.v1.AdminService. Who calls was asked before: see `gate`."""

    def __init__(
        self,
        merchants: PostgresMerchants,
        keys: PostgresKeys,
        actions: PostgresActions,
        digest: KeyDigest,
        vault: VaultKey | None,
        once: Once,
    ) -> None:
        self._merchants = merchants
        self._keys = keys
        self._actions = actions
        self._digest = digest
        self._vault = vault
        self._once = once

    async def CreateMerchant(  # noqa: N802
        self, request: pb.CreateMerchantRequest, context: Context
    ) -> pb.CreateMerchantResponse:
        """Make a merchant."""
        merchant_id, name = requests.new_merchant_of(request)
        reply = pb.CreateMerchantResponse

        async def create(connection: "PooledConnection") -> pb.CreateMerchantResponse:
            merchants = self._merchants.on(connection)
            merchant = await merchants.create(merchant_id=merchant_id, name=name)
            return reply(merchant=encode_merchant(merchant))

        return await self._once.run(request, context, create, reply, merchant_id=OPERATOR)

    async def GetMerchant(  # noqa: N802
        self, request: pb.GetMerchantRequest, _context: Context
    ) -> pb.GetMerchantResponse:
        """Return one merchant."""
        merchant = await self._merchants.get(request.id)
        return pb.GetMerchantResponse(merchant=encode_merchant(merchant))

    async def ListMerchants(  # noqa: N802
        self, request: pb.ListMerchantsRequest, _context: Context
    ) -> pb.ListMerchantsResponse:
        """Return a page of merchants."""
        after_id, size = requests.merchants_page_of(request)
        merchants = await self._merchants.list(after_id=after_id, limit=size + 1)
        page, more = merchants[:size], len(merchants) > size
        return pb.ListMerchantsResponse(
            merchants=[encode_merchant(merchant) for merchant in page],
            next_page_token=page[-1].id if more else "",
        )

    async def DisableMerchant(  # noqa: N802
        self, request: pb.DisableMerchantRequest, _context: Context
    ) -> pb.DisableMerchantResponse:
        """Make a merchant's keys useless."""
        merchant = await self._merchants.disable(request.id)
        return pb.DisableMerchantResponse(merchant=encode_merchant(merchant))

    async def EnableMerchant(  # noqa: N802
        self, request: pb.EnableMerchantRequest, _context: Context
    ) -> pb.EnableMerchantResponse:
        """Make a merchant's keys work again."""
        merchant = await self._merchants.enable(request.id)
        return pb.EnableMerchantResponse(merchant=encode_merchant(merchant))

    async def CreateApiKey(  # noqa: N802
        self, request: pb.CreateApiKeyRequest, context: Context
    ) -> pb.CreateApiKeyResponse:
        """Make a key, and tell it."""
        merchant_id, name, scopes = requests.new_key_of(request)
        reply = pb.CreateApiKeyResponse

        async def create(connection: "PooledConnection") -> pb.CreateApiKeyResponse:
            new, secret = self._new_key()
            keys = self._keys.on(connection)
            key = await keys.create(merchant_id, new, name=name, scopes=scopes)
            return reply(api_key=encode_key(key, _now()), secret=secret)

        return await self._once.run(request, context, create, reply, merchant_id=OPERATOR)

    async def ListApiKeys(  # noqa: N802
        self, request: pb.ListApiKeysRequest, _context: Context
    ) -> pb.ListApiKeysResponse:
        """Return a page of a merchant's keys."""
        before_id, size = requests.keys_page_of(request)
        await self._merchants.get(request.merchant_id)
        keys = await self._keys.list(request.merchant_id, before_id=before_id, limit=size + 1)
        page, more = keys[:size], len(keys) > size
        return pb.ListApiKeysResponse(
            api_keys=[encode_key(key, _now()) for key in page],
            next_page_token=page[-1].id if more else "",
        )

    async def RotateApiKey(  # noqa: N802
        self, request: pb.RotateApiKeyRequest, context: Context
    ) -> pb.RotateApiKeyResponse:
        """Make a key that takes the place of another one, and tell it."""
        key_id, overlap = requests.rotation_of(request)
        reply = pb.RotateApiKeyResponse

        async def rotate(connection: "PooledConnection") -> pb.RotateApiKeyResponse:
            new, secret = self._new_key()
            key, old = await self._keys.on(connection).rotate(key_id, new, overlap=overlap)
            now = _now()
            return reply(
                api_key=encode_key(key, now), secret=secret, old_api_key=encode_key(old, now)
            )

        return await self._once.run(request, context, rotate, reply, merchant_id=OPERATOR)

    async def RevokeApiKey(  # noqa: N802
        self, request: pb.RevokeApiKeyRequest, _context: Context
    ) -> pb.RevokeApiKeyResponse:
        """End a key."""
        key = await self._keys.revoke(requests.key_id_of(request))
        return pb.RevokeApiKeyResponse(api_key=encode_key(key, _now()))

    async def ListStuckActions(  # noqa: N802
        self, request: pb.ListStuckActionsRequest, _context: Context
    ) -> pb.ListStuckActionsResponse:
        """Return a page of what is in doubt for too long."""
        after_id, size = requests.stuck_page_of(request)
        actions = await self._actions.list_stuck(after_id=after_id, limit=size + 1)
        page, more = actions[:size], len(actions) > size
        return pb.ListStuckActionsResponse(
            actions=[encode_stuck_action(action) for action in page],
            next_page_token=page[-1].id if more else "",
        )

    async def ResolveAction(  # noqa: N802
        self, request: pb.ResolveActionRequest, _context: Context
    ) -> pb.ResolveActionResponse:
        """Note how an action ended."""
        action = await self._actions.resolve(*requests.resolution_of(request))
        return pb.ResolveActionResponse(action=encode_stuck_action(action))

    async def RotateVaultKey(  # noqa: N802
        self, _request: pb.RotateVaultKeyRequest, _context: Context
    ) -> pb.RotateVaultKeyResponse:
        """Make a new version of the key that wraps data keys."""
        return pb.RotateVaultKeyResponse(version=await self._vault_key().rotate())

    async def RewrapDataKeys(  # noqa: N802
        self, _request: pb.RewrapDataKeysRequest, _context: Context
    ) -> pb.RewrapDataKeysResponse:
        """Wrap a batch of data keys by the newest version."""
        progress = await self._vault_key().rewrap()
        return pb.RewrapDataKeysResponse(
            version=progress.version,
            rewrapped=progress.rewrapped,
            remaining=progress.remaining,
        )

    async def RefuseOldVaultKeys(  # noqa: N802
        self, _request: pb.RefuseOldVaultKeysRequest, _context: Context
    ) -> pb.RefuseOldVaultKeysResponse:
        """Refuse all versions but the newest."""
        version = await self._vault_key().refuse_older()
        if version is None:
            raise OldVaultKeysInUseError
        return pb.RefuseOldVaultKeysResponse(version=version)

    def _vault_key(self) -> VaultKey:
        if self._vault is None:
            raise VaultNotOpenError
        return self._vault

    def _new_key(self) -> tuple[NewKey, str]:
        """Return what is stored of a fresh key, and the key."""
        key_id, secret = new_api_key()
        return NewKey(id=key_id, digest=self._digest.of(secret)), secret


def _now() -> datetime:
    return datetime.now(UTC)
