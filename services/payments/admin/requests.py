"""Checks of the operator's requests: all that is wrong is said at once, and no value repeated."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from paygate.admin.v1 import admin_service_pb2 as pb
from paygate.auth.v1 import scope_pb2
from pkg.errors import InvalidPageTokenError
from pkg.grpc.scopes import FULL_ACCESS, Scopes, of_message
from pkg.grpc.validation import Checks
from pkg.ids import is_id, new_id
from services.payments.admin.actions import Resolution

OVERLAP_DEFAULT, OVERLAP_MAX = timedelta(days=1), timedelta(days=7)

_MERCHANT_ID = re.compile(r"mer_[a-z0-9_]{1,60}\Z")
_KEY_ID = re.compile(r"[0-9a-z]{16}\Z")


def new_merchant_of(request: pb.CreateMerchantRequest) -> tuple[str, str]:
    """Return id and name of the merchant to make."""
    checks = Checks()
    if not request.name:
        checks.add("name", "is required")
    checks.text("name", request.name)
    merchant_id = request.id or new_id("mer", datetime.now(UTC))
    if not _MERCHANT_ID.match(merchant_id):
        checks.add("id", "must be mer_ and 1 to 60 of the characters a-z, 0-9 and _")
    checks.end()
    return merchant_id, request.name


def new_key_of(request: pb.CreateApiKeyRequest) -> tuple[str, str, Scopes]:
    """Return the merchant's id, the key's name, and what it is to be used for."""
    checks = Checks()
    if not request.merchant_id:
        checks.add("merchant_id", "is required")
    checks.text("name", request.name)
    valid = {*scope_pb2.Scope.values()} - {scope_pb2.SCOPE_UNSPECIFIED}
    if not valid.issuperset(request.scopes):
        checks.add("scopes", "must be PAYMENTS, READ_ONLY or WEBHOOKS")
    checks.end()
    scopes = frozenset(map(of_message, request.scopes)) or FULL_ACCESS
    return request.merchant_id, request.name, scopes


def rotation_of(request: pb.RotateApiKeyRequest) -> tuple[str, timedelta]:
    """Return the old key's id, and for how long it works on."""
    checks = Checks()
    overlap = OVERLAP_DEFAULT
    if request.HasField("overlap_seconds"):
        overlap = timedelta(seconds=request.overlap_seconds)
    if not timedelta(0) <= overlap <= OVERLAP_MAX:
        checks.add("overlap_seconds", f"must be from 0 to {OVERLAP_MAX.total_seconds():.0f}")
    key_id = _key_id(checks, request.id)
    checks.end()
    return key_id, overlap


def key_id_of(request: pb.RevokeApiKeyRequest) -> str:
    """Return the id of the key to revoke."""
    checks = Checks()
    key_id = _key_id(checks, request.id)
    checks.end()
    return key_id


def merchants_page_of(request: pb.ListMerchantsRequest) -> tuple[str, int]:
    """Return the id that ended the page before, and the size of the page.

    A page token is that id: who may list merchants may list them all.

    Raises:
        InvalidPageTokenError: The token is no id.
    """
    return _page(request, _MERCHANT_ID.match)


def keys_page_of(request: pb.ListApiKeysRequest) -> tuple[str, int]:
    """Return the id that ended the page before, and the size of the page; as for merchants."""
    return _page(request, _KEY_ID.match)


def stuck_page_of(request: pb.ListStuckActionsRequest) -> tuple[str, int]:
    """Return the id that ended the page before, and the size of the page; as for merchants."""
    return _page(request, partial(is_id, "act"))


def resolution_of(request: pb.ResolveActionRequest) -> tuple[str, Resolution]:
    """Return the action's id, and how it ended."""
    checks = Checks()
    if not is_id("act", request.id):
        checks.add("id", "must be an action's id")
    if request.resolution not in {pb.RESOLUTION_SUCCEEDED, pb.RESOLUTION_FAILED}:
        checks.add("resolution", "must be SUCCEEDED or FAILED")
    checks.end()
    name = pb.Resolution.Name(request.resolution)
    return request.id, Resolution(name.removeprefix("RESOLUTION_"))


def _page(
    request: pb.ListMerchantsRequest | pb.ListApiKeysRequest | pb.ListStuckActionsRequest,
    is_known: Callable[[str], object],
) -> tuple[str, int]:
    checks = Checks()
    size = checks.page_size(request.page_size)
    checks.end()
    if request.page_token and not is_known(request.page_token):
        raise InvalidPageTokenError
    return request.page_token, size


def _key_id(checks: Checks, key_id: str) -> str:
    if not key_id:
        checks.add("id", "is required")
    elif not _KEY_ID.match(key_id):
        checks.add("id", "must be a key's id: the 16 characters between its two underscores")
    return key_id
