"""The collection runs from its first request to its last, by a program that people use."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from paygate.admin.v1 import admin_service_pb2 as pb
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack
from tests.openapi.document import operations
from tests.typescript import NODE
from tools.openapi.api import read_api
from tools.openapi.collection import collection_of, environment
from tools.stack.settings import REPOSITORY

NEWMAN = REPOSITORY / "clients" / "collection" / "node_modules" / "newman" / "bin" / "newman.js"
SECONDS_MAX = 90.0
IS_FULL = os.environ.get("PAYGATE_FUZZ_OPENAPI") == "full"
# `make fuzz-openapi` installs it: for one test it takes long.
needs_newman = pytest.mark.skipif(
    not (NEWMAN.exists() or IS_FULL), reason="newman is not installed: make newman"
)


@needs_newman
def test_it_runs(stack: Stack, operator: Operator, tmp_path: Path) -> None:
    """Each request is carried out, with what the ones before have told."""
    operator.ask(pb.CreateMerchantRequest(id="mer_collection", name="Collection"))
    told = {"PAYGATE_URL": stack.url, "PAYGATE_API_KEY": operator.new_key("mer_collection")}
    variables = [f"--env-var={name}={value}" for name, value in told.items()]
    collection = REPOSITORY / "build" / "postman_collection.json"
    done = subprocess.run(
        [NODE, NEWMAN, "run", collection, *variables, "--color=off", "--reporter-cli-no-banner"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def is_stream(told: dict[str, Any]) -> bool:
    """Tell whether a reply of an operation goes on."""
    return "text/event-stream" in told["responses"]["200"]["content"]


def test_every_operation_is_in_it() -> None:
    """Each that ends; and what it is told from outside is called as in demo.env."""
    api = read_api(REPOSITORY / "build" / "paygate.binpb")
    requests = [one for chapter in collection_of(api)["item"] for one in chapter["item"]]
    ending = {name for name, told in operations().items() if not is_stream(told)}
    assert {one["name"].partition(":")[0] for one in requests} == ending
    names = {one["key"] for one in environment()["values"]}
    assert names == {"PAYGATE_URL", "PAYGATE_API_KEY"}
