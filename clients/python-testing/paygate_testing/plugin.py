"""The fixtures `paygate` and `sandbox`, and what pytest-xdist needs to share one stack."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from paygate_testing.errors import SetupError
from paygate_testing.finding import find
from paygate_testing.gateway import Gateway
from paygate_testing.sandbox import Sandbox
from paygate_testing.shared import Shared

_FOLDER = "paygate_testing_folder"
_OURS = pytest.StashKey[Shared]()
_THEIRS = pytest.StashKey[Shared]()


class _Node(Protocol):
    """A worker of pytest-xdist, seen from the process that has started it."""

    config: pytest.Config
    workerinput: dict[str, object]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: _Node) -> None:
    """Tell each worker the folder that all of them share."""
    node.workerinput[_FOLDER] = str(_shared(node.config).folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let the stack end, if there is one; the process that has made the folder waits for it."""
    if _THEIRS in config.stash:
        config.stash[_THEIRS].leave()
    if _OURS in config.stash:
        config.stash[_OURS].end()


@pytest.fixture(scope="session")
def _paygate_gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """The gateway of the test run, whatever else a project may call `paygate`."""
    try:
        found = find(os.environ, Path.cwd(), lambda: _shared(request.config))
    except SetupError as problem:
        raise pytest.fail.Exception(str(problem), pytrace=False) from None
    with found.client:
        yield found


@pytest.fixture(scope="session")
def paygate(_paygate_gateway: Gateway) -> Gateway:
    """A gateway: the one that `PAYGATE_URL` and `PAYGATE_API_KEY` name, one that runs, or its own.

    Under pytest-xdist all workers use the same one.
    """
    return _paygate_gateway


@pytest.fixture
def sandbox(_paygate_gateway: Gateway, request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A sandbox of the test's own, deleted after it."""
    with ExitStack() as stack:
        try:
            made = stack.enter_context(_paygate_gateway.sandbox(request.node.nodeid))
        except SetupError as problem:
            raise pytest.fail.Exception(str(problem), pytrace=False) from None
        yield made


def _shared(config: pytest.Config) -> Shared:
    """Return what the processes of this test run share."""
    told = getattr(config, "workerinput", {}).get(_FOLDER)
    key = _THEIRS if told else _OURS
    if key not in config.stash:
        config.stash[key] = Shared(Path(told) if told else None)
    return config.stash[key]
