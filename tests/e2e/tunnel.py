"""Ways between this machine's loopback interface and those of containers."""

import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

HOST = "127.0.0.1"
CHUNK_BYTES = 65536

# Run in a container: its input and output become a connection to its own loopback interface.
_IN = """
import os, socket, sys, threading
there = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
def send():
    while data := os.read(0, 65536):
        there.sendall(data)
    there.shutdown(socket.SHUT_WR)
threading.Thread(target=send, daemon=True).start()
while data := there.recv(65536):
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
"""

# Run in a container, until its input ends: what connects to its loopback interface goes on to an
# address.
_OUT = """
import os, socket, sys, threading
host, port = sys.argv[1], int(sys.argv[2])
def copy(source, target):
    while data := source.recv(65536):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)
def accept(listening):
    while True:
        here, _ = listening.accept()
        there = socket.create_connection((host, port))
        for pair in ((here, there), (there, here)):
            threading.Thread(target=copy, args=pair, daemon=True).start()
listening = socket.create_server(("127.0.0.1", port))
threading.Thread(target=accept, args=(listening,), daemon=True).start()
print("listening", flush=True)
sys.stdin.read()
"""


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


@contextmanager
def into(container: str, port: int) -> Iterator[int]:
    """Yield a port of this machine that leads to one of the container's loopback interface."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            command = ["docker", "exec", "-i", container, "python", "-c", _IN, str(port)]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as there:
                output = cast("IO[bytes]", there.stdout)
                back = threading.Thread(target=_read, args=(output, self.request), daemon=True)
                back.start()
                _write(self.request, cast("IO[bytes]", there.stdin))
                back.join()

    with _serving(HOST, 0, Handler) as chosen:
        yield chosen


@contextmanager
def out_of(container: str, port: int, *, gateway: str) -> Iterator[None]:
    """Have a port of the container's loopback interface lead to the same one of this machine's.

    Args:
        container: Its id.
        port: Of both.
        gateway: This machine's address in the container's network.
    """

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((HOST, port)) as there:
                back = threading.Thread(target=_copy, args=(there, self.request), daemon=True)
                back.start()
                _copy(self.request, there)
                back.join()

    command = ["docker", "exec", "-i", container, "python", "-c", _OUT, gateway, str(port)]
    with (
        _serving(gateway, port, Handler),
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as there,
    ):
        assert cast("IO[bytes]", there.stdout).readline() == b"listening\n"
        yield
        cast("IO[bytes]", there.stdin).close()


@contextmanager
def _serving(host: str, port: int, handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    with _Server((host, port), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield int(server.server_address[1])
        server.shutdown()


def _copy(source: socket.socket, target: socket.socket) -> None:
    while data := source.recv(CHUNK_BYTES):
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)


def _write(source: socket.socket, target: IO[bytes]) -> None:
    while data := source.recv(CHUNK_BYTES):
        target.write(data)
        target.flush()
    target.close()


def _read(source: IO[bytes], target: socket.socket) -> None:
    while data := source.read1(CHUNK_BYTES):  # type: ignore[attr-defined]  # a pipe has it
        target.sendall(data)
    target.shutdown(socket.SHUT_WR)
