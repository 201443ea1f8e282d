"""What gRPC's own settings change: `python -m bench.grpc_settings [--python P]`.

A server of one process, whose only method returns at once, has each setting in turn, and h2load
with 32 connections. Shown are medians: calls per second, and the server's CPU in µs per call.
"""

import argparse
import asyncio
import os
import statistics
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from tools.stack import ports
from tools.stack.settings import HOST, REPOSITORY

ROUNDS, SECONDS, CONNECTIONS = 5, 2, 32
OLD = (
    "-event_engine_listener,-event_engine_client,-event_engine_callback_cq,"
    "-event_engine_for_all_other_endpoints,-event_engine_fork"
)
# Alone it may import nothing of ours: another Python has only grpcio and uvloop.
SERVER = """
import asyncio, sys
import grpc
from grpc import aio

port, loop, shape = sys.argv[1:4]
REPLY = b"\\x0a\\x05hello"

class Nothing(aio.ServerInterceptor):
    async def intercept_service(self, continuation, details):
        return await continuation(details)

async def answer(data, context):
    if shape == "header":
        await context.send_initial_metadata((("x-request-id", "0123456789abcdef"),))
    if shape == "trailer":
        context.set_trailing_metadata((("x-request-id", "0123456789abcdef"),))
    return REPLY

async def main():
    options = [("grpc.so_reuseport", 0)]
    if shape == "minimal":
        options.append(("grpc.minimal_stack", 1))
    interceptors = (Nothing(),) if shape == "interceptor" else ()
    handler = grpc.unary_unary_rpc_method_handler(answer)
    if shape == "core":  # but for this one
        from pkg.grpc.servers.server import CoreServer
        server = CoreServer(options=options)
        server.add_registered_method_handlers("t.T", {"E": handler})
    else:
        server = aio.server(options=options, interceptors=interceptors)
        generic = grpc.method_handlers_generic_handler("t.T", {"E": handler})
        server.add_generic_rpc_handlers((generic,))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    print("up", flush=True)
    await asyncio.Event().wait()

if loop == "uvloop":
    import uvloop
    uvloop.run(main())
else:
    asyncio.run(main())
"""


class Setting(NamedTuple):
    """A server to measure."""

    name: str
    loop: str = "uvloop"
    shape: str = "plain"
    environment: Mapping[str, str] = {}


SETTINGS = (
    Setting("asyncio's loop", loop="asyncio"),
    Setting("uvloop"),
    Setting("older event loop of gRPC", environment={"GRPC_EXPERIMENTS": OLD}),
    Setting("… only for listening", environment={"GRPC_EXPERIMENTS": "-event_engine_listener"}),
    Setting("… and no filters", shape="minimal", environment={"GRPC_EXPERIMENTS": OLD}),
    Setting("poll instead of epoll", environment={"GRPC_POLL_STRATEGY": "poll"}),
    Setting("no support for forks", environment={"GRPC_ENABLE_FORK_SUPPORT": "0"}),
    Setting("promise-based HTTP/2", environment={"GRPC_EXPERIMENTS": "ph2_server"}),
    Setting("an interceptor", shape="interceptor"),
    Setting("a header in the reply", shape="header"),
    Setting("a trailer in the reply", shape="trailer"),
    Setting("the server of our own", shape="core"),
    Setting("… and the older event loop", shape="core", environment={"GRPC_EXPERIMENTS": OLD}),
)


@contextmanager
def running(setting: Setting, python: str) -> Iterator[tuple[int, psutil.Process]]:
    """Run a server; yield its port and its process."""
    (port,) = ports.free(1)
    process = subprocess.Popen(
        (python, "-c", SERVER, str(port), setting.loop, setting.shape),
        env={**os.environ, **setting.environment},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert process.stdout
        assert process.stdout.readline(), f"{setting.name}: the server does not start"
        yield port, psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


async def measure(port: int, process: psutil.Process, message: Path) -> tuple[float, float]:
    """Return calls per second, and CPU in µs per call."""
    before = process.cpu_times()
    load = await asyncio.create_subprocess_exec(
        *("h2load", "-c", str(CONNECTIONS), "-m", "1", "-D", str(SECONDS), "-d", str(message)),
        *("-H", "te: trailers", "-H", "content-type: application/grpc"),
        f"http://{HOST}:{port}/t.T/E",
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await load.communicate()
    after = process.cpu_times()
    (line,) = (line for line in output.decode().splitlines() if line.startswith("requests:"))
    calls = int(line.split(" succeeded")[0].split()[-1])
    used = after.user + after.system - before.user - before.system
    return calls / SECONDS, used / calls * 1e6


async def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="has grpcio and uvloop")
    python = parser.parse_args().python
    samples: dict[str, list[tuple[float, float]]] = {setting.name: [] for setting in SETTINGS}
    with tempfile.TemporaryDirectory() as folder:
        message = Path(folder, "message")
        message.write_bytes(b"\x00" + struct.pack(">I", 4) + b"\x0a\x02hi")
        for _ in range(ROUNDS):
            for setting in SETTINGS:
                with running(setting, python) as (port, process):
                    await measure(port, process, message)
                    samples[setting.name].append(await measure(port, process, message))
    print("| setting | calls/s | CPU µs per call |\n| --- | --- | --- |")
    for name, runs in samples.items():
        rate, cpu = (statistics.median(column) for column in zip(*runs, strict=True))
        print(f"| {name} | {rate:,.0f} | {cpu:.0f} |")


if __name__ == "__main__":
    asyncio.run(main())
