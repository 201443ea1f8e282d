"""The way in for the operator: a token is asked for, and every action leaves a line in the log."""

import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc
import structlog
from google.protobuf import json_format
from google.protobuf.message import Message
from grpc import aio

from pkg.errors import ApiError
from pkg.grpc.guard import Context, metadata_values
from pkg.observe.health import HEALTH
from pkg.secret import Secret
from services.payments.admin.errors import InvalidAdminTokenError

logger = structlog.get_logger()

# Says who sits at the keyboard. It is a claim: the token alone decides.
OPERATOR_HEADER = "paygate-operator"
_OPERATOR = re.compile(r"[\w.@-]{1,64}\Z")
# Whether the process serves may be asked by anybody who reaches its port.
_ID_FIELDS = ("id", "merchant_id")
_ID = re.compile(r"(mer_[a-z0-9_]{1,60}|act_[0-9a-z]{26}|[0-9a-z]{16})\Z")
# Sub-messages of replies that say what was made or changed.
_SUBJECTS = ("merchant", "api_key", "old_api_key")

# grpc's handler takes its parameters only from type checkers.
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
_Inner: TypeAlias = Callable[[Any, Any], Awaitable[Message]]


class AdminGate(aio.ServerInterceptor):
    """Stands before every method, so that a new one cannot be forgotten.

    Args:
        token: The installation's.
    """

    def __init__(self, token: Secret) -> None:
        self._expected = _digest(f"Bearer {token.reveal()}")

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """Return the handler with the gate before it."""
        handler = await continuation(details)
        if handler is None or details.method.startswith(HEALTH):
            return handler
        if handler.unary_unary is None:
            return None  # a kind of method that nothing here would guard
        action, inner = details.method.rpartition("/")[2], handler.unary_unary

        async def call(request: Message, context: Context) -> Message:
            return await self._call(inner, action, request, context)

        return grpc.unary_unary_rpc_method_handler(
            call,
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )

    async def _call(
        self, inner: _Inner, action: str, request: Message, context: Context
    ) -> Message:
        outcome, about = "INTERNAL", _ids(request)
        try:
            self._ask_for_token(context)
            reply = await inner(request, context)
            outcome, about = "DONE", _subject(request, reply)
        except ApiError as refused:
            outcome = refused.reason
            raise
        else:
            return reply
        finally:
            logger.info(
                "admin action",
                action=action,
                outcome=outcome,
                operator=_operator(context),
                peer=context.peer(),
                **about,
            )

    def _ask_for_token(self, context: Context) -> None:
        values = metadata_values(context, "authorization")
        # Digests are of one length: comparing them tells nothing of the token's.
        given = _digest(values[0] if len(values) == 1 else "")
        if not hmac.compare_digest(given, self._expected):
            raise InvalidAdminTokenError


def _subject(request: Message, reply: Message) -> dict[str, object]:
    """Return what was asked for, and what it was done to: nothing else of the reply is told.

    A reply may hold a new key, and only a request that went well holds nothing that is no id.
    """
    asked = json_format.MessageToDict(request, preserving_proto_field_name=True)
    there = reply.DESCRIPTOR.fields_by_name.keys()
    done_to = {name: getattr(reply, name).id for name in _SUBJECTS if name in there}
    return {"asked": asked, **done_to}


def _ids(request: Message) -> dict[str, object]:
    """Return what a request is about, as far as it looks like ids: a key pasted there does not."""
    asked = json_format.MessageToDict(request, preserving_proto_field_name=True)
    return {"asked": {name: asked[name] for name in _ID_FIELDS if _ID.match(asked.get(name, ""))}}


def _operator(context: Context) -> str:
    values = metadata_values(context, OPERATOR_HEADER)
    return values[0] if len(values) == 1 and _OPERATOR.match(values[0]) else ""


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
