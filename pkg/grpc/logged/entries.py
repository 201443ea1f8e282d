"""Calls as rows of the request log: what it holds of each, and nothing that it must not hold."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from pkg.grpc.calls import REPLAYED, Call, Ended
from pkg.grpc.logged.redaction import hidden_in, redacted
from pkg.grpc.refusals import Refusal

REQUEST_BYTES_MAX, REPLY_BYTES_MAX = 8 * 1024, 16 * 1024
TEXT_CHARACTERS_MAX = 255

# As `store.sql` wants it.
Entry = tuple[object, ...]


def entry_of(ended: Ended) -> Entry:
    """Return the row of a call."""
    began, seconds, payment_id, call = ended
    service, _, method = call.method.removeprefix("/").partition("/")
    keys = call.metadata.get("idempotency-key", ())
    return (
        call.merchant_id,
        int(began * 1_000_000),
        hidden_in(call.request_id),  # a client may have made it of something else
        service,
        method,
        call.code,
        call.reason,
        int(seconds * 1_000_000),
        shown_text(keys[0]) if len(keys) == 1 else "",
        REPLAYED in call.headers,
        payment_id,
        call.key_id,
        "x-transcoded" in call.metadata,
        *_kept(call.request, REQUEST_BYTES_MAX),
        *_kept(_told(call, f"{service}.{method}"), REPLY_BYTES_MAX),
    )


def shown_text(text: str) -> str:
    """Return a short text of a client's, such as an idempotency key, as the log holds it."""
    return hidden_in(text)[:TEXT_CHARACTERS_MAX]


def columns_of(entries: Sequence[Entry]) -> list[list[object]]:
    """Return the arguments of `store.sql`."""
    return [list(column) for column in zip(*entries, strict=True)]


def _kept(message: object, most: int) -> tuple[bytes | None, int]:
    """Return a message's bytes, None if there is none or they are too many; and how many."""
    if type(message) is bytes:  # too many to be read
        return None, len(message)
    if not isinstance(message, Message):
        return None, 0
    size = message.ByteSize()
    if size > most:
        return None, size
    data = redacted(message)
    return (data if len(data) <= most else None), size


def _told(call: Call, method: str) -> object:
    """Return the message that the client got."""
    if call.refusal is not None:
        return _without_ids(call.refusal).status()
    if type(call.reply) is not bytes or len(call.reply) > REPLY_BYTES_MAX:
        return call.reply
    return _reply_class(method).FromString(call.reply)


@lru_cache(maxsize=200)  # of our own methods there are fewer
def _reply_class(method: str) -> type[Message]:
    described = descriptor_pool.Default().FindMethodByName(method)
    return GetMessageClass(described.output_type)


def _without_ids(refusal: Refusal) -> Refusal:
    """Refusals repeat nothing that a client sent, but a request id."""
    metadata = {name: hidden_in(text) for name, text in refusal.metadata.items()}
    return replace(refusal, metadata=metadata)
