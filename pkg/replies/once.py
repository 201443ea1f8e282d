"""Idempotency keys of RPCs that do all they do in one transaction: its reply is stored in it.

Payments have keys of their own, which are claimed before the bank is asked.
"""

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import Message

from pkg.errors import IdempotencyInFlightError, IdempotencyKeyReusedError
from pkg.grpc.guard import Context, add_reply_header, called_method, metadata_values
from pkg.grpc.validation import Checks
from pkg.postgres.shards.tenancy import merchants_of
from pkg.postgres.sql import Pool, statements
from pkg.replies.sealing import ReplyBox
from pkg.secret import Secret

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection

SQL = statements(Path(__file__).parent / "sql")

OPERATOR = ""  # the merchant of what the operator does

Reply = TypeVar("Reply", bound=Message)
Act = Callable[["PooledConnection"], Awaitable[Reply]]


class Once:
    """Carries requests out in a transaction, and once for each idempotency key.

    Args:
        pool: Of a database role that may see and add stored replies.
        key: A secret, as hexadecimal digits. What replies are sealed under, and requests hashed, is
            derived from it.
    """

    def __init__(self, pool: Pool, key: Secret) -> None:
        self._pool = merchants_of(pool)
        self._box = ReplyBox(key)
        self._fingerprint_key = hmac.digest(
            bytes.fromhex(key.reveal()), b"paygate stored request fingerprint v1", hashlib.sha256
        )

    async def run(
        self,
        request: Message,
        context: Context,
        act: Act[Reply],
        reply_type: type[Reply],
        *,
        merchant_id: str,
    ) -> Reply:
        """Carry out a request that was found valid; or return the reply that it got before.

        Args:
            request: As it was sent.
            context: Of the call.
            act: Does it, on a connection inside the transaction. What it raises stores nothing.
            reply_type: What it returns.
            merchant_id: Whose request it is; `OPERATOR` for the operator.

        Raises:
            ValidationFailedError: The key is none.
            IdempotencyInFlightError: A request with this key is still running.
            IdempotencyKeyReusedError: The key was used with another request.
            DependencyUnavailableError: The database is away: the key tells later what became of it.
        """
        key = _key_of(context)
        async with self._pool.connection(merchant_id) as connection, connection.transaction():
            if key is None:
                return await act(connection)
            place = (merchant_id, called_method().rpartition("/")[2], key)
            if not await connection.fetchval(SQL["hold_key"], _lock_of(place)):
                raise IdempotencyInFlightError
            fingerprint = self._fingerprint(place, request)
            stored = await connection.fetchrow(SQL["find_reply"], *place)
            if stored is None:
                reply = await act(connection)
                sealed = self._box.seal(reply.SerializeToString(deterministic=True), place)
                await connection.execute(SQL["store_reply"], *place, fingerprint, sealed)
                return reply
            if not hmac.compare_digest(stored["fingerprint"], fingerprint):
                raise IdempotencyKeyReusedError
        add_reply_header("idempotent-replayed", "true")
        return reply_type.FromString(self._box.open(stored["sealed"], place))

    def _fingerprint(self, place: tuple[str, str, str], request: Message) -> bytes:
        merchant_id, rpc, _ = place
        head = json.dumps([merchant_id, rpc]).encode()
        message = head + b"\0" + request.SerializeToString(deterministic=True)
        return hmac.digest(self._fingerprint_key, message, hashlib.sha256)


def _key_of(context: Context) -> str | None:
    checks = Checks()
    key = checks.idempotency_key(metadata_values(context, "idempotency-key"))
    checks.end()
    return key


def _lock_of(place: tuple[str, str, str]) -> int:
    """Return the number that stands for a key among the database's advisory locks."""
    digest = hashlib.sha256(json.dumps(["stored reply", *place]).encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
