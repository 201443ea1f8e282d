"""A stack of its own for fuzzing: it turns the clock, and its merchants' data are made up."""

from collections.abc import Iterator
from typing import Any, cast

import grpc
import psutil
import pytest

from tests.e2e.operator import Operator
from tests.e2e.receiver import Receiver
from tests.e2e.stack import Stack
from tests.fuzz.api import Method, public_methods
from tests.fuzz.campaign import Target
from tests.fuzz.case import Keys

ENVIRONMENT = {
    # So that the cards that lose replies, and the slow one, do not take up the time.
    "ACQUIRER_SLOW_SECONDS": "0.2",
    "ACQUIRER_OUTAGE_SECONDS": "0.3",
    # The clock is turned, and every event is counted in the end.
    "PAYGATE_EVENT_RETENTION_DAYS": "3650",
}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The real thing, with Envoy."""
    with Stack(workers=2, environment=ENVIRONMENT) as running:
        yield running.start()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Where webhooks are posted to."""
    listening = Receiver()
    yield listening
    listening.close()


@pytest.fixture(scope="module")
def methods() -> tuple[Method, ...]:
    """Every public RPC that answers once: what streams does not end."""
    return tuple(method for method in public_methods() if not method.streams)


@pytest.fixture(scope="module")
def target(stack: Stack, receiver: Receiver, methods: tuple[Method, ...]) -> Target:
    """What the cases are sent to."""
    keys = Keys(merchant=stack.api_key, scratch=scratch_key(stack))
    return Target(stack.port, workers_of(stack, methods), keys, receiver.url)


def scratch_key(stack: Stack) -> str:
    """Make a merchant, as an operator does, and return its API key."""
    operator = Operator(stack)
    return operator.new_merchant("mer_scratch")


def workers_of(stack: Stack, methods: tuple[Method, ...]) -> dict[str, str]:
    """Return, by service, the address of a process that serves it: they are asked."""
    environments = [psutil.Process(pid).environ() for _, pid in sorted(stack.pids().items())]
    found: dict[str, str] = {}
    for address in [one["PAYGATE_LISTEN"] for one in environments if "PAYGATE_LISTEN" in one]:
        with grpc.insecure_channel(address) as channel:
            for method in methods:
                if method.service not in found and serves(channel, method):
                    found[method.service] = address
    assert set(found) == {method.service for method in methods}
    return found


def serves(channel: grpc.Channel, method: Method) -> bool:
    """Tell whether whoever is at the other end has this method; without a key it does nothing."""
    callable_: Any = channel.unary_unary(method.path)
    try:
        callable_(b"", timeout=5)
    except grpc.RpcError as problem:
        return cast("grpc.Call", problem).code() is not grpc.StatusCode.UNIMPLEMENTED
    return True
