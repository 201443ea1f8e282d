"""The pytest plugin as its users get it: installed from wheels, in a pytest of its own."""

import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from paygate.auth.v1.scope_pb2 import SCOPE_PAYMENTS
from paygate_client import Paygate
from tests.e2e.operator import Operator
from tests.e2e.seen import Seen
from tests.e2e.stack import Stack
from tests.e2e.test_documents import blocks
from tests.wheels import build
from tools.stack.settings import REPOSITORY

MERCHANT = "mer_pytest_plugin"
SECONDS_MAX = 90.0
PACKAGES = ("python", "python-testing")
README = (REPOSITORY / "clients" / "python-testing" / "README.md").read_text()
SHOP = REPOSITORY / "examples" / "shop"

LEAVES = """
import pytest
from paygate_client import Money
from paygate_testing import cards

PRICE = Money(100, "GBP")


def test_fails(sandbox):
    print(f"made {sandbox.id}")
    assert sandbox.clock.offset, "on purpose"


def test_leaves_an_action(sandbox):
    print(f"made {sandbox.id}")
    payment = sandbox.client.authorize(PRICE, card=cards.VISA).payment
    sandbox.bank.outage()
    assert sandbox.client.capture(payment, PRICE).succeeded, "on purpose"


def test_deletes_it_itself(paygate, sandbox):
    print(f"made {sandbox.id}")
    with paygate.sandbox("another") as other:
        assert other.id != sandbox.id
    paygate.client.sandbox.delete_sandbox(sandbox.id)
    pytest.fail("on purpose")
"""
LOOKS = """
import pytest

@pytest.fixture
def paygate():
    return "what this project calls so"

@pytest.mark.parametrize("number", range(8))
def test_looks(sandbox, number):
    assert not sandbox.inbox.webhooks()
"""
# What stands for `paygate run`: it hands out a stack that runs, and keeps a record.
HANDS_OUT = """#!/bin/sh
trap 'echo ended >> "$RECORD"; exit 0' TERM
echo "$1" >> "$RECORD"
mkdir "$PAYGATE_DATA_DIR"
cp "$STACK/demo.env" "$PAYGATE_DATA_DIR/new"
mv "$PAYGATE_DATA_DIR/new" "$PAYGATE_DATA_DIR/demo.env"
while :; do sleep 0.05; done
"""


@dataclass(frozen=True)
class Ended:
    """A pytest that has ended."""

    counts: Mapping[str, int]
    output: str

    def made(self) -> set[str]:
        """Return the sandboxes that its tests have told of."""
        return set(re.findall(r"made (mer_\w+)", self.output))


@dataclass(frozen=True)
class Project:
    """Somebody's tests.

    Attributes:
        installed: The folder of packages that they have besides pytest.
        folder: Where the tests are run.
        key: Of the merchant that they use.
        url: Of the gateway.
    """

    installed: Path
    folder: Path
    key: str
    url: str

    def run(
        self, *arguments: str, cwd: Path | None = None, changed: Mapping[str, str] | None = None
    ) -> Ended:
        """Run pytest on them.

        The plugin is asked for by its entry point's name. What else this machine has for pytest,
        which takes two seconds to load in each process, is left out.
        """
        plugins = ("-p", "no:cacheprovider", "-p", "xdist", "-p", "paygate")
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", *plugins, *arguments],
            cwd=cwd or self.folder,
            env={
                **os.environ,
                "PYTHONPATH": str(self.installed),
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PAYGATE_DATA_DIR": str(self.folder / "nothing"),
                "PAYGATE_URL": self.url,
                "PAYGATE_API_KEY": self.key,
                **(changed or {}),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS_MAX,
        )
        *_, summary = ended.stdout.splitlines() or [""]
        counts = re.findall(r"(\d+) (passed|failed|error)", summary)
        return Ended({what: int(count) for count, what in counts}, ended.stdout + ended.stderr)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what is in the wheels of client and plugin: pytest finds the plugin there."""
    folder, packages = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    for name in PACKAGES:
        build("wheel", REPOSITORY / "clients" / name, folder)
    for wheel in folder.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(packages)
    return packages


@pytest.fixture(scope="module")
def api_key(operator: Operator, seen: Seen) -> str:
    """The key of a merchant who runs tests."""
    key = operator.new_merchant(MERCHANT)
    seen.api_keys.add(key)
    return key


@pytest.fixture
def project(installed: Path, api_key: str, stack: Stack, tmp_path: Path) -> Project:
    """A folder for tests."""
    return Project(installed, tmp_path, api_key, stack.url)


def left(project: Project) -> set[str]:
    """Return the sandboxes that there are."""
    with Paygate(project.url, project.key) as client:
        return {one.id for one in client.sandbox.sandboxes()}


def test_the_wheel_is_typed_and_has_its_licence(installed: Path) -> None:
    """As the client's."""
    (about,) = installed.glob("paygate_testing-*.dist-info")
    assert (about / "licenses" / "LICENSE").read_bytes() == (REPOSITORY / "LICENSE").read_bytes()
    assert (installed / "paygate_testing" / "py.typed").exists()


def test_the_shops_tests_pass_side_by_side(project: Project) -> None:
    """And those of the plugin's README: each with a bank and a clock of its own."""
    example = project.folder / "test_readme.py"
    example.write_text(next(one.text for one in blocks(README) if one.language == "python"))
    ended = project.run("-n", "4", str(SHOP / "tests"), str(example), cwd=SHOP)
    assert ended.counts == {"passed": 13}, ended.output
    assert left(project) == set()


def test_a_sandbox_is_deleted_whatever_became_of_its_test(project: Project) -> None:
    """It failed, has left an action that waits for the bank, or has deleted it itself."""
    (project.folder / "test_leaves.py").write_text(LEAVES)
    ended = project.run()
    assert ended.counts == {"failed": 3}, ended.output
    assert ended.output.count("on purpose") >= 3
    assert len(ended.made()) == 3
    assert left(project) & ended.made() == set()


def test_all_workers_share_the_gateway_that_is_started(project: Project, stack: Stack) -> None:
    """It is started once, with the installed command, and has ended when pytest ends."""
    (project.folder / "test_looks.py").write_text(LOOKS)
    record, command = project.folder / "record", project.folder / "paygate"
    command.write_text(HANDS_OUT)
    command.chmod(0o755)
    changed = {
        "PATH": f"{project.folder}:{os.environ['PATH']}",
        "PAYGATE_URL": "",
        "PAYGATE_API_KEY": "",
        "RECORD": str(record),
        "STACK": str(stack.data_dir),
    }
    ended = project.run("-n", "2", changed=changed)
    assert ended.counts == {"passed": 8}, ended.output
    assert record.read_text().split() == ["run", "ended"]


def test_what_is_wrong_with_a_key_is_said_in_one_line(project: Project, operator: Operator) -> None:
    """Without a traceback, and with what to do."""
    (project.folder / "test_looks.py").write_text(LOOKS)
    ended = project.run(
        "-k", "1", changed={"PAYGATE_API_KEY": operator.new_key(MERCHANT, SCOPE_PAYMENTS)}
    )
    assert ended.counts == {"error": 1}, ended.output
    assert "this API key may not make sandboxes" in ended.output
    assert "--scope sandboxes" in ended.output
    assert "Traceback" not in ended.output
