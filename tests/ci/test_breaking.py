"""What must fail in CI fails: changes that break clients, and generated files that are stale."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.stack.settings import REPOSITORY

SECONDS_MAX = 120
API = "proto/api/paygate/payments/v1/payment_service.proto"
PAYMENT = "proto/api/paygate/payments/v1/payment.proto"
BANK = "proto/internal/paygate/acquirer/v1/acquirer_service.proto"
NEEDED = (
    "buf.yaml",
    "buf.gen.yaml",
    "envoy.yaml",
    "Makefile",
    "build",
    "clients",
    "console",
    "deploy",
    "pkg",
    "proto",
    "services",
    "tools",
)


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with what the targets need, committed."""
    tmp_path = tmp_path_factory.mktemp("checkout")
    for name in NEEDED:
        source = REPOSITORY / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "secrets", "node_modules")
            shutil.copytree(source, tmp_path / name, ignore=ignored)
        else:
            shutil.copy(source, tmp_path / name)
    (tmp_path / ".venv").symlink_to((REPOSITORY / ".venv").resolve())
    who = ("-c", "user.name=test", "-c", "user.email=test@example.com")
    for command in (("init", "--quiet"), ("add", *NEEDED), (*who, "commit", "--quiet", "-m", "it")):
        subprocess.run(["git", *command], cwd=tmp_path, check=True, timeout=SECONDS_MAX)
    for folder in ("clients/typescript", "console"):
        modules = Path(folder, "node_modules")
        (tmp_path / modules).symlink_to((REPOSITORY / modules).resolve())
    return tmp_path


@pytest.fixture
def checkout(copied: Path) -> Iterator[Path]:
    """The same, as it was committed."""
    yield copied
    subprocess.run(["git", "checkout", "--quiet", "."], cwd=copied, check=True, timeout=SECONDS_MAX)


def made(checkout: Path, target: str) -> subprocess.CompletedProcess[str]:
    """Run a target against what was committed, with the tools that there are."""
    command = ["make", "-o", "venv-dev", "-o", "node-modules", target, "AGAINST=.git#ref=HEAD"]
    return subprocess.run(
        command, cwd=checkout, capture_output=True, text=True, check=False, timeout=SECONDS_MAX
    )


def change(checkout: Path, path: str, old: str, new: str) -> None:
    """Edit a file, which must have what is replaced."""
    text = (checkout / path).read_text()
    assert old in text
    (checkout / path).write_text(text.replace(old, new))


def test_what_did_not_change_breaks_nothing(checkout: Path) -> None:
    """Else the failures below would say nothing."""
    for target in ("proto-breaking", "http-breaking", "openapi-breaking", "check-generated"):
        done = made(checkout, target)
        assert done.returncode == 0, (target, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("path", "old", "new", "is_refused"),
    [
        (PAYMENT, "string reference = ", "string client_reference = ", True),
        (PAYMENT, "int32 month = ", "int64 month = ", True),
        (BANK, "string reference = ", "string action_reference = ", False),
        (BANK, "string reference = ", "int64 reference = ", True),
    ],
)
def test_a_breaking_change_of_a_proto_fails(
    checkout: Path, path: str, old: str, new: str, is_refused: bool
) -> None:
    """Public names and types are fixed; of internal messages only what is on the wire."""
    change(checkout, path, old, new)
    done = made(checkout, "proto-breaking")
    assert (done.returncode != 0) == is_refused, (done.stdout, done.stderr)
    assert not is_refused or path in done.stdout, done.stderr


def test_a_changed_path_fails(checkout: Path) -> None:
    """Each path or verb that vanished is named, though buf has nothing against it."""
    change(checkout, API, 'post: "/capture"', 'post: "/captures"')
    change(checkout, API, 'post: "/v1/void"', 'put: "/v1/void"')
    change(checkout, API, 'get: "/payment/{id}"', 'get: "/payment/by-id/{id}"')
    assert made(checkout, "proto-breaking").returncode == 0
    done = made(checkout, "http-breaking")
    assert done.returncode != 0
    for gone in ("POST /capture", "POST /v1/void", "GET /payment/{}"):
        assert f"{gone} is gone" in done.stderr


def test_a_narrower_limit_fails(checkout: Path) -> None:
    """Neither protos nor paths have it; the document has."""
    change(checkout, "build/openapi.json", '"maxLength": 255', '"maxLength": 200')
    done = made(checkout, "openapi-breaking")
    assert done.returncode != 0
    assert "void: request reference has maxLength 200 and had 255" in done.stderr


def test_whatever_is_stale_fails(checkout: Path) -> None:
    """All of it is shown, whatever it was generated from; nothing is mended by looking."""
    change(checkout, API, '/capture"', '/captures"')
    change(checkout, "services/events/target.py", "URL_LENGTH_MAX = 2048", "URL_LENGTH_MAX = 1024")
    change(checkout, "envoy.yaml", "idle_timeout: 60s", "idle_timeout: 61s")
    done = made(checkout, "check-generated")
    assert done.returncode != 0
    assert "build/paygate.binpb" in done.stdout  # has the path
    assert re.search(r'^> .*"maxLength": 1024', done.stdout, re.MULTILINE)  # what services enforce
    assert "idle_timeout: 61s" in done.stdout
    assert "make proto-generate" in done.stdout
    status = ["git", "status", "--porcelain", "--untracked-files=no", "build", "clients", "deploy"]
    assert not subprocess.check_output(status, cwd=checkout, timeout=SECONDS_MAX)
