"""Between what is stored of merchants and keys and the admin API's messages."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from paygate.admin.v1 import admin_service_pb2 as pb
from paygate.payments.v1 import payment_pb2
from pkg.grpc.scopes import to_message
from services.payments.admin.actions import StuckAction
from services.payments.admin.keys import ApiKey
from services.payments.admin.merchants import Merchant


def encode_merchant(merchant: Merchant) -> pb.Merchant:
    """Return the message of a merchant."""
    is_disabled = merchant.disable_time is not None
    return pb.Merchant(
        id=merchant.id,
        name=merchant.name,
        status=pb.Merchant.STATUS_DISABLED if is_disabled else pb.Merchant.STATUS_ENABLED,
        create_time=_timestamp(merchant.create_time),
        disable_time=_timestamp(merchant.disable_time),
    )


def encode_key(key: ApiKey, now: datetime) -> pb.ApiKey:
    """Return the message of a key, as it stands at `now`."""
    status = pb.ApiKey.STATUS_EXPIRED
    if key.revoke_time is not None:
        status = pb.ApiKey.STATUS_REVOKED
    elif key.is_live(now):
        status = pb.ApiKey.STATUS_LIVE
    return pb.ApiKey(
        id=key.id,
        merchant_id=key.merchant_id,
        name=key.name,
        scopes=sorted(map(to_message, key.scopes)),
        status=status,
        create_time=_timestamp(key.create_time),
        expire_time=_timestamp(key.expire_time),
        revoke_time=_timestamp(key.revoke_time),
    )


def encode_stuck_action(action: StuckAction) -> pb.StuckAction:
    """Return the message of an action that is in doubt."""
    resolution = pb.RESOLUTION_UNSPECIFIED
    if action.resolution is not None:
        resolution = pb.Resolution.Value(f"RESOLUTION_{action.resolution}")
    return pb.StuckAction(
        id=action.id,
        merchant_id=action.merchant_id,
        payment_id=action.payment_id,
        type=payment_pb2.Action.Type.Value(f"TYPE_{action.type}"),
        create_time=_timestamp(action.create_time),
        resolution=resolution,
    )


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
