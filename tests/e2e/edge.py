"""The edge alone: Envoy with its real configuration, in front of services that only take notes."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import grpc
from grpc_health.v1.health_pb2 import HealthCheckResponse

from pkg.grpc.server import OPTIONS
from tests.e2e.envoy_admin import Said, asked
from tests.e2e.stack import free_port
from tools.stack import envoy

READY_SECONDS_MAX = 20.0


@dataclass(frozen=True)
class Call:
    """What reached a service.

    Attributes:
        peer: The name in the certificate of who called; None in plain text.
    """

    method: str
    body: bytes
    metadata: dict[str, str | bytes]
    peer: str | None


class _Quiet(ThreadingHTTPServer):
    """Does not mind that whoever asked is gone."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


class Page:
    """Where a worker shows how it is: the same for every path, so that none stays unnoticed.

    Attributes:
        said: The status, and what is in the body.
        asked: The paths that were asked for, health checks included.
        headers: Those of the last request.
        answers: Cleared to let all that ask wait.
    """

    def __init__(self) -> None:
        well = {"status": "SERVING", "dependencies": {"database": "UP", "acquirer": "UP"}}
        self.said: tuple[int, object] = (200, well)
        self.asked: set[str] = set()
        self.headers: Mapping[str, str] = {}
        self.answers = threading.Event()
        self.answers.set()
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        self.port: int = self._server.server_address[1]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        page = self

        class Handler(BaseHTTPRequestHandler):
            """Answers what the page says."""

            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                """Say it."""
                page.asked.add(self.path)
                page.headers = dict(self.headers.items())
                page.answers.wait(10.0)
                status, told = page.said
                body = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json; charset=utf-8")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_POST = do_GET  # noqa: N815  # the names are the library's

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class Upstream(grpc.GenericRpcHandler):
    """Every service at once: healthy, notes each call, and answers with an empty message.

    Args:
        credentials: For TLS; plain text without.

    Attributes:
        health: What it says of itself.
        says: Cleared to let those wait who ask for it.
    """

    def __init__(self, credentials: grpc.ServerCredentials | None = None) -> None:
        self.calls: list[Call] = []
        self.page = Page()
        self.health: Any = HealthCheckResponse.SERVING
        self.says = threading.Event()
        self.says.set()
        self._server = grpc.server(ThreadPoolExecutor(4), handlers=[self], options=OPTIONS)
        if credentials is None:
            self.port = self._server.add_insecure_port("127.0.0.1:0")
        else:
            self.port = self._server.add_secure_port("127.0.0.1:0", credentials)

    def service(
        self, details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes]":  # generic in its stubs only
        """Take every method."""

        def answer(body: bytes, context: grpc.ServicerContext) -> bytes:
            if details.method == "/grpc.health.v1.Health/Check":
                while context.is_active() and not self.says.wait(0.05):
                    pass
                return HealthCheckResponse(status=self.health).SerializeToString()
            metadata = dict(context.invocation_metadata())
            names: Any = context.auth_context().get("x509_common_name", [])
            peer = next((name.decode() for name in names), None)
            self.calls.append(Call(details.method, body, metadata, peer))
            return b""

        return grpc.unary_unary_rpc_method_handler(answer)

    def __enter__(self) -> Self:
        self._server.start()
        self.page.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.page.__exit__()
        self._server.stop(None).wait()


class Edge:
    """One Envoy.

    Args:
        config: Its configuration, as `rendered` returns it.
        folder: An empty folder, for its configuration and its log.
    """

    def __init__(self, config: dict[str, Any], folder: Path) -> None:
        listener = config["static_resources"]["listeners"][0]
        self.port: int = listener["address"]["socket_address"]["port_value"]
        self.admin = folder / "admin.sock"
        admin = {"path": str(self.admin), "mode": 0o600}
        config["admin"]["address"] = {"pipe": admin}
        for cluster in config["static_resources"]["clusters"]:
            if cluster["name"] == "admin":
                (group,) = cluster["load_assignment"]["endpoints"]
                group["lb_endpoints"] = [{"endpoint": {"address": {"pipe": admin}}}]
        self._path, self._log = folder / "envoy.yaml", folder / "envoy.log"
        self._path.write_text(envoy.written(config))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The REST address, without TLS."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What Envoy has written."""
        return self._log.read_text()

    @property
    def pid(self) -> int:
        """The id of its process."""
        assert self._process is not None
        return self._process.pid

    def is_healthy(self) -> bool:
        """Tell whether it runs and has a healthy worker of each service."""
        assert self._process is not None
        assert self._process.poll() is None, self.log
        try:
            clusters = self.ask_admin("/clusters")
        except OSError:
            return False
        healthy = re.findall(rb"^(payments|events)::.*::healthy$", clusters.data, re.MULTILINE)
        return set(healthy) == {b"payments", b"events"}

    def ask_admin(self, page: str, *, method: str = "GET") -> Said:
        """Ask Envoy's admin page."""
        return asked(self.admin, page, method=method)

    def stats(self, pattern: str) -> dict[str, int]:
        """Return the counters whose names match."""
        reply = self.ask_admin(f"/stats?filter={pattern}")
        pairs = (line.split(": ") for line in reply.data.decode().splitlines())
        return {name: int(value) for name, value in pairs}

    def wait_for(self, pattern: str, value: int) -> None:
        """Wait until the only counter that matches has this value."""
        deadline = time.monotonic() + READY_SECONDS_MAX
        while list(self.stats(pattern).values()) != [value]:
            assert time.monotonic() < deadline, self.stats(pattern)
            time.sleep(0.05)

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                envoy.command(self._path), stdout=log, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not self.is_healthy():
            if time.monotonic() > deadline:
                self.__exit__()
                raise AssertionError(self.log)
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait(10)


def rendered(upstream: Upstream, *, asked: str = "", whole: bool = False) -> dict[str, Any]:
    """Return envoy.yaml for free ports of this machine, with one process for all services.

    Args:
        upstream: The process.
        whole: With all sixteen chains, each a copy of the one that there is otherwise: they take
            Envoy ten times as long to start, and only the limit of connections tells them apart.
        asked: The cluster that is asked for its health; a busy machine would make others fail, and
            the tests with them.
    """
    port, page = upstream.port, upstream.page.port
    shown = {"health": [page], "health-webhooks": [page]}
    services = {"payments": [port], "events": [port], **shown}
    text = envoy.render(
        port=free_port(),
        metrics_port=free_port(),
        admin=Path(envoy.ADMIN),  # `Edge` has a folder for it
        services=services,
    )
    config: dict[str, Any] = envoy.parse(text)
    listener = config["static_resources"]["listeners"][0]
    if not whole:
        listener["filter_chains"] = listener["filter_chains"][:1]
        del listener["filter_chain_matcher"]
    for cluster in config["static_resources"]["clusters"]:
        if cluster["name"] != asked:
            cluster.pop("health_checks", None)
    return config


def manager(config: dict[str, Any]) -> dict[str, Any]:
    """Return the HTTP connection manager that clients meet."""
    listener = config["static_resources"]["listeners"][0]
    found: dict[str, Any] = listener["filter_chains"][0]["filters"][-1]["typed_config"]
    return found
