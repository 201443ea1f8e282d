"""Requests over gRPC: messages, and bytes that are none any more."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

import grpc
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from tests.fuzz import wire
from tests.fuzz.api import Method
from tests.fuzz.case import Lane, Reply, reason_of

SECONDS_MAX = 15.0
COMPRESSIONS = (
    *[grpc.Compression.NoCompression] * 8,
    grpc.Compression.Gzip,
    grpc.Compression.Deflate,
)

Metadata = Sequence[tuple[str, str | bytes]]
# Envoy takes 60 KiB of names and values, and 256 of them, with the call's own headers. Well
# below either it has to be answered, and well above the edge resets the stream. A single one over
# 64 KiB would end the connection: HPACK can't skip it.
BYTES_TAKEN, BYTES_REFUSED = 56_000, 64_000
BYTES_MAX = 88_000  # what a worker takes by itself: 96 KiB, with 32 bytes for each (HPACK)
NUMBER_TAKEN, NUMBER_REFUSED = 200, 300
METADATA: tuple[tuple[str, str | bytes], ...] = (
    *(("x-request-id", "a"), ("x-request-id", "~" * 65), ("x-request-id", ""), ("x-empty", "")),
    *(("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),),
    *(("traceparent", "x"), ("tracestate", "a=" + "b" * 600), ("baggage", "k=v,%ff")),
    *(("x-odd-bin", b""), ("x-odd-bin", b"\0\xff"), ("idempotency-key-bin", b"k")),
    *(("authorization-bin", b"\xff"), ("grpc-status-details-bin", b"\x08\x05"), ("grpc-x", "y")),
    *(("idempotency-key", ""), ("idempotency-key", "a" * 256), ("idempotency-key", "a b")),
    *(("x-forwarded-for", "127.0.0.1"), ("x-envoy-upstream-rq-timeout-ms", "1"), ("x.dot", "1")),
    *(("x-envoy-retry-on", "unavailable"), ("x-long", "a" * 1000), ("accept", "application/json")),
    *(("x-large", "a" * 3500), ("te", "x")),
    *(("content-type", "text/plain"), ("user-agent", ""), ("host", "a")),
    *(("grpc-accept-encoding", "nope"), ("cookie", "a=b"), ("x-http-method-override", "GET")),
)


@dataclass
class GrpcCase:
    """One call; `request` is what it says, while nobody has touched it."""

    kind: str
    method: Method
    request: Message | None
    data: bytes
    metadata: Metadata
    channel: grpc.Channel = field(repr=False)
    seconds_max: float = SECONDS_MAX
    compression: grpc.Compression = grpc.Compression.NoCompression

    @property
    def hurried(self) -> bool:
        """Whether it asks for an answer sooner than one can be had."""
        return self.seconds_max < SECONDS_MAX

    @property
    def oversized(self) -> bool:
        """Whether the edge can't but reset it."""
        too_much = _bytes(self.metadata) > BYTES_REFUSED or len(self.metadata) > NUMBER_REFUSED
        return too_much and not self.kind.endswith(" to a worker")

    def send(self) -> Reply:
        """Call, on the lane's channel."""
        callable_: Any = self.channel.unary_unary(self.method.path)
        try:
            body, call = callable_.with_call(
                self.data,
                metadata=tuple(self.metadata),
                timeout=self.seconds_max,
                compression=self.compression,
            )
        except grpc.RpcError as problem:
            return _refusal(cast("grpc.Call", problem))
        message = self.method.response.FromString(body)
        return Reply(code="OK", headers=_headers(call), body=body, message=message)

    def shown(self) -> str:
        """Return the call as it is made."""
        how = f"{self.seconds_max} s, {self.compression.name}"
        return f"{self.method.path} {list(self.metadata)!r} {self.data!r} {how}"


def message_case(lane: Lane, channel: grpc.Channel, method: Method, *, to: str) -> GrpcCase:
    """Make a call with a message that an encoder can write."""
    odd = lane.oddness(0.06)
    request = lane.request(method, odd=odd)
    metadata = metadata_of(lane, method, odd=odd)
    case = GrpcCase(f"grpc{to}", method, request, request.SerializeToString(), metadata, channel)
    if lane.random.random() < odd:
        case.seconds_max = lane.random.choice((0.0001, 0.001, 0.005, 0.02))
    case.compression = lane.random.choice(COMPRESSIONS)
    return case


def bytes_case(lane: Lane, channel: grpc.Channel, method: Method, *, to: str) -> GrpcCase:
    """Make a call with bytes that began as a valid message."""
    odd = lane.oddness(0.02)
    request = lane.request(method, odd=0)
    metadata, data = metadata_of(lane, method, odd=odd), request.SerializeToString()
    if odd:
        data = wire.tampered(lane.random, data)
    return GrpcCase(f"bytes{to}", method, None if odd else request, data, metadata, channel)


def metadata_of(lane: Lane, method: Method, *, odd: float) -> Metadata:
    """Return a call's metadata, odd or not."""
    random = lane.random
    found: list[tuple[str, str | bytes]] = [
        ("authorization", value) for value in lane.authorization(method, odd=odd)
    ]
    if random.random() < 0.5:
        found.append(("idempotency-key", lane.idempotency_key()))
    if random.random() < odd * 5:
        found += random.sample(METADATA, random.randint(1, 3))
    if random.random() < odd / 2:
        found += _padding(random, _bytes(found))
    return found


def _padding(random: Random, taken: int) -> Metadata:
    """Return as much as the edge still takes, or more; in bytes, or in number."""
    if random.random() < 0.3:
        number = random.choice((NUMBER_TAKEN, NUMBER_REFUSED + 1))
        return [(f"x-{place}", "y") for place in range(number)]
    parts = random.choice((1, 7))
    if parts > 1 and random.random() < 0.5:
        wanted = random.randint(BYTES_REFUSED + 1, BYTES_MAX) - taken
    else:
        wanted = max(1, random.randint(1_000, BYTES_TAKEN) - taken)
    return [(f"x-{place}", "y" * (wanted // parts + 1)) for place in range(parts)]


def _bytes(metadata: Metadata) -> int:
    return sum(len(name) + len(value) for name, value in metadata)


def _refusal(call: grpc.Call) -> Reply:
    code = call.code()
    details = dict(cast("Any", call.trailing_metadata() or ())).get("grpc-status-details-bin", b"")
    error = Status.FromString(details)
    if not details:
        # So that its text is searched too.
        error = Status(code=code.value[0], message=call.details() or "")
    return Reply(
        code=code.name,
        reason=reason_of(error),
        error=error,
        headers=_headers(call),
        body=error.SerializeToString(),
    )


def _headers(call: grpc.Call) -> list[tuple[str, str]]:
    pairs: Any = (*(call.initial_metadata() or ()), *(call.trailing_metadata() or ()))
    return [
        (name, value.decode("latin-1") if isinstance(value, bytes) else value)
        for name, value in pairs
    ]
