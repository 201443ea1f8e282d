"""What the edge says to native gRPC clients by itself: a status with its details, if it can."""

import base64
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from tests.e2e.edge import Edge, Upstream, manager, rendered
from tests.e2e.stack import free_port
from tools.stack.settings import REPOSITORY

LIST = "/paygate.payments.v1.PaymentService/ListPayments"


@dataclass(frozen=True)
class Said:
    """How a call ended.

    Attributes:
        reason: Of the details; None without details.
        headers: All that came, before and behind the reply.
    """

    code: grpc.StatusCode
    reason: str | None
    headers: dict[str, Any]


def call(
    edge: Edge, method: str = LIST, message: bytes = b"", metadata: tuple[tuple[str, str], ...] = ()
) -> Said:
    """Make one call on a channel of its own."""
    with grpc.insecure_channel(f"127.0.0.1:{edge.port}") as channel:
        unary: Any = channel.unary_unary(method)
        try:
            _, done = unary.with_call(message, timeout=8.0, metadata=metadata)
        except grpc.RpcError as error:
            done = error
    pairs = (*(done.initial_metadata() or ()), *(done.trailing_metadata() or ()))
    headers: dict[str, Any] = dict(pairs)
    return Said(done.code(), _reason(headers, done), headers)


def _reason(headers: dict[str, Any], done: Any) -> str | None:
    if "grpc-status-details-bin" not in headers:
        return None
    status, info = Status.FromString(headers["grpc-status-details-bin"]), ErrorInfo()
    assert (status.code, status.message) == (done.code().value[0], done.details())
    assert status.details[0].Unpack(info)
    assert info.domain == "paygate"
    return str(info.reason)


def assert_refused(said: Said, code: grpc.StatusCode, reason: str, *, again: bool = False) -> None:
    """Check the code, the reason, and the headers that every reply has."""
    assert (said.code, said.reason) == (code, reason), said
    assert said.headers["x-request-id"]
    assert said.headers["cache-control"] == "no-store"
    assert said.headers["x-content-type-options"] == "nosniff"
    assert ("retry-after" in said.headers) == again


def test_an_unknown_method_is_told(edge: Edge) -> None:
    """UNIMPLEMENTED, as gRPC says it, with a reason."""
    code = grpc.StatusCode.UNIMPLEMENTED
    assert_refused(call(edge, "/paygate.payments.v1.PaymentService"), code, "METHOD_NOT_FOUND")
    assert_refused(call(edge, "/grpc.health.v1.Health/Watch"), code, "METHOD_NOT_FOUND")


HEALTH = "/grpc.health.v1.Health/Check"
REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
WITHOUT_KEY = [(HEALTH, ()), (HEALTH, (("x-health-of", "events"),)), (REFLECTION, ())]


@pytest.mark.parametrize(("method", "metadata"), WITHOUT_KEY)
def test_who_asks_too_often_without_a_key_is_refused(
    edge: Edge, method: str, metadata: tuple[tuple[str, str], ...]
) -> None:
    """An address has 20 questions and ten more each second, also by a way that is ours to take."""
    with grpc.insecure_channel(f"127.0.0.1:{edge.port}") as channel:
        unary: Any = channel.unary_unary(method)
        asked = [unary.future(b"", timeout=8.0, metadata=metadata) for _ in range(80)]
        codes = [one.code() for one in asked]
    assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
    assert call(edge).code is grpc.StatusCode.OK


def test_a_message_over_64_kib_is_told(edge: Edge, upstream: Upstream) -> None:
    """64 KiB reach a service, and one byte more does not."""
    assert call(edge, message=bytes(65_536)).code is grpc.StatusCode.OK
    before = len(upstream.calls)
    said = call(edge, message=bytes(65_537))
    assert_refused(said, grpc.StatusCode.INVALID_ARGUMENT, "BODY_TOO_LARGE")
    assert len(upstream.calls) == before


def test_a_compressed_message_is_read(edge: Edge, upstream: Upstream) -> None:
    """How it is encoded gRPC says in its own way, and the services understand it."""
    with grpc.insecure_channel(
        f"127.0.0.1:{edge.port}", compression=grpc.Compression.Gzip
    ) as channel:
        unary: Any = channel.unary_unary(LIST)
        unary(bytes(10_000), timeout=8.0)
    assert upstream.calls[-1].body == bytes(10_000)


METADATA = {
    "an underscore": (("x_merchant", "m"),),
    "8 KiB of it": (("cookie", "a" * 8_000),),
    "40 KiB of what a service reads": (
        ("user-agent", "a" * 20_000),
        ("authorization", "b" * 20_000),
    ),
    "240 of them": tuple((f"x-{n}", "a") for n in range(240)),
}


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA.keys())
def test_metadata_that_nobody_reads_do_not_matter(
    edge: Edge, metadata: tuple[tuple[str, str], ...]
) -> None:
    """They are dropped before anything counts them, and the call goes on."""
    assert call(edge, metadata=metadata).code is grpc.StatusCode.OK


@contextmanager
def listening(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """Stand for a worker that takes connections and does this with each."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    behave(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


def dies(connection: socket.socket) -> None:
    """End when a request has come, which begins with the word PRI and has the method in it."""
    received = b""
    while LIST.encode()[-12:] not in received and b"\x00\x01\x04" not in received[24:]:
        received += connection.recv(65_536)
    connection.close()


kept: list[socket.socket] = []


@contextmanager
def in_front_of(port: int, upstream: Upstream, folder: Path) -> Iterator[Edge]:
    """Run the edge with this worker for payments, and less patience."""
    config = rendered(upstream)
    clusters = {one["name"]: one for one in config["static_resources"]["clusters"]}
    (group,) = clusters["payments"]["load_assignment"]["endpoints"]
    group["lb_endpoints"][0]["endpoint"]["address"]["socket_address"]["port_value"] = port
    (host,) = manager(config)["route_config"]["virtual_hosts"]
    (route,) = [one["route"] for one in host["routes"] if one["name"] == "grpc"]
    route["timeout"] = "2s"
    with Edge(config, folder) as running:
        yield running


def test_a_worker_that_dies_under_a_call_is_told(upstream: Upstream, tmp_path: Path) -> None:
    """UNAVAILABLE, which retry policies know, and not the INTERNAL of a reset."""
    with listening(dies) as port, in_front_of(port, upstream, tmp_path) as edge:
        said = call(edge)
    assert_refused(said, grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", again=True)


def test_a_worker_that_says_nothing_is_told(upstream: Upstream, tmp_path: Path) -> None:
    """DEADLINE_EXCEEDED when its time is up."""
    with listening(kept.append) as port, in_front_of(port, upstream, tmp_path) as edge:
        said = call(edge)
    assert_refused(said, grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")


def test_no_worker_is_told(upstream: Upstream, tmp_path: Path) -> None:
    """UNAVAILABLE at once where nobody listens."""
    with in_front_of(free_port(), upstream, tmp_path) as edge:
        said = call(edge)
    assert_refused(said, grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE", again=True)


CONNECTIONS = r"^http\.edge\.downstream_cx_total$"


@pytest.mark.parametrize(("number", "size"), [(1, 62_000), (7, 10_000), (300, 1)])
def test_too_much_metadata_ends_its_own_call_alone(edge: Edge, number: int, size: int) -> None:
    """Here a reset is all that can be had; whatever else is on the connection goes on."""
    large = tuple((f"x-{place}", "y" * size) for place in range(number))
    with grpc.insecure_channel(f"127.0.0.1:{edge.port}") as channel:
        unary: Any = channel.unary_unary(LIST)
        unary(b"", timeout=8.0)
        before = edge.stats(CONNECTIONS)
        with pytest.raises(grpc.RpcError) as caught:
            unary(b"", timeout=8.0, metadata=large)
        unary(b"", timeout=8.0)
    assert caught.value.code() is grpc.StatusCode.INTERNAL
    assert edge.stats(CONNECTIONS) == before


def test_what_is_said_to_grpc_clients_is_what_it_says() -> None:
    """The details, which are written as base64, agree with the code and the text beside them."""
    config = yaml.safe_load((REPOSITORY / "envoy.yaml").read_text())
    seen = 0
    for mapper in manager(config)["local_reply_config"]["mappers"]:
        told = {
            one["header"]["key"]: one["header"]["value"] for one in mapper.get("headers_to_add", ())
        }
        if "grpc-status" not in told:
            continue
        status = Status.FromString(base64.b64decode(told["grpc-status-details-bin"]))
        text = mapper["body_format_override"]["text_format_source"]["inline_string"]
        assert (str(status.code), status.message) == (told["grpc-status"], text)
        info = ErrorInfo()
        assert status.details[0].Unpack(info)
        assert re.fullmatch("[A-Z_]+", info.reason)
        seen += 1
    assert seen == 9
