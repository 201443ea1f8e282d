"""Who calls while others attack: a merchant with a key, over REST and over gRPC."""

import statistics
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import urllib3
from grpc import aio

from paygate.payments.v1 import payment_service_pb2 as pb
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from tests.e2e.stack import Stack

PAUSE_SECONDS = 0.02
CALL_SECONDS_MAX = 5.0
# Of each protocol, before they are counted as an answer to anything.
CALLS_MIN = 20


@dataclass
class Calls:
    """What became of the calls over one protocol."""

    seconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of the calls that went well."""
        return len(self.seconds) / max(1, len(self.seconds) + len(self.failed))

    @property
    def median(self) -> float:
        """Of how long those took."""
        return statistics.median(self.seconds) if self.seconds else float("inf")


def by_rest(stack: Stack) -> Callable[[], None]:
    """Return a call over REST, on a connection of its own that is kept as long as the edge does."""
    pool = urllib3.PoolManager(retries=False, timeout=CALL_SECONDS_MAX)
    headers = {"authorization": f"Bearer {stack.api_key}"}

    def call() -> None:
        reply = pool.request("GET", f"{stack.url}/payments?page_size=1", headers=headers)
        if reply.status != 200:
            raise OSError(f"{reply.status} {reply.data[:200]!r}")

    return call


def by_grpc(stack: Stack) -> Callable[[], None]:
    """Return a call over gRPC."""
    stub: Any = PaymentServiceStub(grpc.insecure_channel(stack.grpc))
    metadata = (("authorization", f"Bearer {stack.api_key}"),)
    request = pb.ListPaymentsRequest(page_size=1)

    def call() -> None:
        stub.ListPayments(request, metadata=metadata, timeout=CALL_SECONDS_MAX)

    return call


def _go_on(call: Callable[[], None], calls: Calls, stopped: threading.Event) -> None:
    while not stopped.is_set():
        began = time.perf_counter()
        try:
            call()
        except (OSError, urllib3.exceptions.HTTPError, grpc.RpcError) as error:
            calls.failed.append(repr(error)[:300])
        else:
            calls.seconds.append(time.perf_counter() - began)
        stopped.wait(PAUSE_SECONDS)


@contextmanager
def calling(stack: Stack) -> Iterator[dict[str, Calls]]:
    """Call until the block ends, and return what became of it by protocol."""
    found = {"REST": Calls(), "gRPC": Calls()}
    stopped = threading.Event()
    made = {"REST": by_rest(stack), "gRPC": by_grpc(stack)}
    threads = [
        threading.Thread(target=_go_on, args=(made[name], found[name], stopped)) for name in found
    ]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


async def timed(call: Callable[[], Awaitable[object]], calls: int) -> tuple[list[float], int]:
    """Return how long each call took that was answered, and how many were not."""
    seconds, refused = [], 0
    for _ in range(calls):
        began = time.perf_counter()
        try:
            await call()
        except aio.AioRpcError:
            refused += 1
        else:
            seconds.append(time.perf_counter() - began)
    return seconds, refused
