"""Settings that servers share: certificates that can be used, and limits by the mode."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pkg.grpc.limits import Rate
from pkg.process.server_settings import ServerSettings
from tests.certificates import AuthorityInFiles
from tools.stack.settings import REPOSITORY

Files = dict[str, Path]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A pair and its authority, by the setting."""
    authority = AuthorityInFiles(tmp_path)
    pair = authority.issue("payments.internal.paygate")
    return {
        "tls_certificate_file": pair.certificate,
        "tls_key_file": pair.key,
        "tls_client_ca_file": authority.file,
    }


def test_files_that_go_together(files: Files) -> None:
    """They are who the process is; without any it has no name."""
    identity = ServerSettings.model_validate(files).identity
    assert identity is not None
    assert identity.client_ca == files["tls_client_ca_file"]
    assert ServerSettings().identity is None


def remove(name: str) -> Callable[[Files], object]:
    """Leave a setting out."""
    return lambda files: files.pop(name)


def spoil(name: str) -> Callable[[Files], object]:
    """Put something else into a file."""
    return lambda files: files[name].write_text("-----BEGIN NOTHING-----\n")


def of_another(files: Files) -> None:
    """Take the key of another certificate."""
    folder = files["tls_key_file"].parent
    files["tls_key_file"] = AuthorityInFiles(folder, "other").issue("other.internal.paygate").key


@pytest.mark.parametrize(
    "wrong",
    [
        remove("tls_key_file"),
        remove("tls_certificate_file"),
        spoil("tls_certificate_file"),
        spoil("tls_key_file"),
        spoil("tls_client_ca_file"),
        of_another,
        lambda files: files["tls_key_file"].unlink(),
        lambda files: files["tls_client_ca_file"].unlink(),
        lambda files: [files.pop(name) for name in ("tls_key_file", "tls_certificate_file")],
    ],
)
def test_files_that_cannot_be_used_are_found_before_it_serves(
    files: Files, wrong: Callable[[Files], object]
) -> None:
    """A pair that is not one, an authority that is none, a file that is not there."""
    wrong(files)
    with pytest.raises(ValidationError, match=r"go together|can't be used|can be used"):
        ServerSettings.model_validate(files)


ON = (Rate(per_second=100, burst=200), Rate(per_second=1, burst=20))


@pytest.mark.parametrize(
    ("settings", "rates"),
    [
        ({}, (None, None)),
        ({"mode": "production"}, ON),
        ({"mode": "production", "rate_limit_per_second": 0}, (None, ON[1])),
        ({"mode": "production", "authentication_failures_per_second": 0}, (ON[0], None)),
        ({"rate_limit_per_second": 5}, (Rate(per_second=5, burst=200), None)),
        (
            {"rate_limit_per_second": 0.5, "rate_limit_burst": 1},
            (Rate(per_second=0.5, burst=1), None),
        ),
        (
            {"authentication_failures_per_second": 2, "authentication_failures_burst": 3},
            (None, Rate(per_second=2, burst=3)),
        ),
    ],
)
def test_limits_by_the_mode(
    settings: dict[str, Any], rates: tuple[Rate | None, Rate | None]
) -> None:
    """They are on in production, and off in the sandbox unless they are set."""
    told = ServerSettings.model_validate(settings)
    assert (told.calls_rate, told.failures_rate) == rates


@pytest.mark.parametrize(
    "settings",
    [
        {"in_flight_max": 0},
        {"rate_limit_per_second": -1},
        {"rate_limit_per_second": "nan"},
        {"rate_limit_per_second": "inf"},
        {"rate_limit_burst": 0},
        {"mode": "productoin"},
    ],
)
def test_limits_that_are_none_are_refused(settings: dict[str, Any]) -> None:
    """Nothing that would be no limit, or no rate, is taken."""
    with pytest.raises(ValidationError):
        ServerSettings.model_validate(settings)


@pytest.mark.parametrize(("server", "older"), [("", False), ("core", False), ("aio", True)])
def test_each_server_has_the_event_loop_that_suits_it(server: str, *, older: bool) -> None:
    """Unless somebody has chosen another one: it is set before gRPC is there to read it."""
    command = (sys.executable, "-c", "import os, services; print(os.environ['GRPC_EXPERIMENTS'])")
    told = {"PAYGATE_GRPC_SERVER": server} if server else {}
    for chosen in ({}, {"GRPC_EXPERIMENTS": "ours"}):
        said = subprocess.run(
            command, env=told | chosen, cwd=REPOSITORY, capture_output=True, text=True, check=False
        ).stdout
        assert said.strip() == "ours" if chosen else ("event_engine" in said) is older


def test_no_process_takes_time_to_load_what_colours_logs() -> None:
    """A start is a tenth shorter without; what draws progress at a terminal still finds it."""
    program = (
        "import sys, services, structlog.dev, structlog.tracebacks;"
        "found = any(name.startswith('rich') for name in sys.modules);"
        "import rich.progress; print(found, rich.progress.Progress.__name__)"
    )
    command = (sys.executable, "-c", program)
    said = subprocess.run(
        command, env={}, cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert said.stdout == "False Progress\n"
