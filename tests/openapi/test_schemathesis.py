"""Schemathesis finds nothing: no 5xx, and no status, header or field that is not documented.

It makes requests from the document that the edge serves, in four phases: its examples; what lies at
the edges of every schema, right and wrong; what chance makes of them; and requests that follow the
links from reply to request. `make fuzz-openapi` does all of it at length, `make test` a part of it
that is always the same. What it is told beside the document, exceptions included, is in hooks.py.
"""

import os
import subprocess
from pathlib import Path

import pytest

from paygate.admin.v1 import admin_service_pb2 as pb
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack
from tools.stack.settings import REPOSITORY

IS_FULL = os.environ.get("PAYGATE_FUZZ_OPENAPI") == "full"
ST = REPOSITORY / ".venv" / "bin" / "st"
CONFIG = Path(__file__).with_name("schemathesis.toml")
# One worker: Hypothesis in two threads runs into Python's limit of recursion.
ALWAYS = ("--no-color", "--generation-database=none", "--warnings=off")
# The clock is for everybody, and what it has turned stays so: nothing would be left to authorize.
# What streams does not end.
ALL_BUT_THE_CLOCK = (
    "--exclude-operation-id=advanceClock",
    "--exclude-operation-id=watchEvents",
)
THE_CLOCK = ("--include-operation-id=advanceClock",)
FULL = {
    "all": (*ALL_BUT_THE_CLOCK, "--max-examples=100"),
    # Nothing leads to it: there are no links to follow.
    "the clock": (*THE_CLOCK, "--phases=examples,coverage,fuzzing", "--max-examples=20"),
}
# The edges of all schemas take too long; those of some have most of the types.
SHORT = {
    "all": (*ALL_BUT_THE_CLOCK, "--phases=examples,fuzzing,stateful", "--max-examples=2"),
    "some": (
        *("--include-operation-id=authorize", "--include-operation-id=listPayments"),
        *("--include-operation-id=updateWebhookEndpoint", *THE_CLOCK),
        *("--phases=coverage", "--max-examples=2"),
    ),
}
RUNS = FULL if IS_FULL else {name: (*how, "--seed=53") for name, how in SHORT.items()}
SECONDS_MAX = 3600 if IS_FULL else 200


@pytest.fixture(scope="module")
def environment(stack: Stack, operator: Operator) -> dict[str, str]:
    """Where the stack is, and the key of a merchant of its own."""
    operator.ask(pb.CreateMerchantRequest(id="mer_schemathesis", name="Schemathesis"))
    return {
        **os.environ,
        "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'build' / 'python'}",
        "PAYGATE_URL": stack.url,
        "PAYGATE_API_KEY": operator.new_key("mer_schemathesis"),
    }


@pytest.mark.timeout(SECONDS_MAX + 30)
@pytest.mark.parametrize("run", RUNS)
def test_it_finds_nothing(
    stack: Stack, environment: dict[str, str], tmp_path: Path, run: str
) -> None:
    """Every answer is one that the document allows, and no process dies of it."""
    before = stack.pids()
    done = subprocess.run(
        [ST, "--config-file", CONFIG, "run", f"{stack.url}/openapi.json", *ALWAYS, *RUNS[run]],
        cwd=tmp_path,  # where it would leave reports
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert stack.pids() == before, stack.output
