"""Which gateway tests use, and what is said where there is none that will do."""

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest

from paygate_testing.errors import SetupError
from paygate_testing.finding import find
from tests.client.gateway import API_KEY
from tests.e2e.stack import free_port


class OwnError(Exception):
    """The tests would have started a gateway of their own."""


def own() -> NoReturn:
    """Stand where a gateway would be started."""
    raise OwnError


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"PAYGATE_URL": "http://127.0.0.1:8080"}, "PAYGATE_API_KEY is not"),
        ({"PAYGATE_API_KEY": API_KEY}, "PAYGATE_URL is not"),
        ({"PAYGATE_URL": "127.0.0.1:8080", "PAYGATE_API_KEY": API_KEY}, "PAYGATE_URL and PAYGATE"),
    ],
)
def test_what_is_named_must_be_whole(environment: Mapping[str, str], said: str) -> None:
    """Half of it is an error: nothing else is used instead."""
    with pytest.raises(SetupError, match=said):
        find(environment, Path("/"), own)


def test_what_is_named_must_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another gateway would not be what was asked for."""
    monkeypatch.setattr("paygate_testing.gateway._CALL_SECONDS_MAX", 0.2)
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(SetupError, match=f"nobody answers at {url}"):
        find({"PAYGATE_URL": url, "PAYGATE_API_KEY": API_KEY}, Path("/"), own)


@pytest.mark.parametrize("left", ["", "PAYGATE_URL=http://127.0.0.1:{port}\nPAYGATE_API_KEY={key}"])
def test_what_a_killed_run_has_left_is_passed_over(
    left: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file may be there, and nobody answers: then the tests start a gateway of their own."""
    monkeypatch.setattr("paygate_testing.gateway._MOMENT_SECONDS", 0.2)
    monkeypatch.setattr("paygate_testing.finding._DATA_DIR_OF_ROOT", tmp_path)  # not this machine's
    folder = tmp_path / ".paygate"
    folder.mkdir()
    (folder / "demo.env").write_text(left.format(port=free_port(), key=API_KEY))
    with pytest.raises(OwnError):
        find({"XDG_STATE_HOME": str(tmp_path)}, tmp_path / "deeper", own)


def test_a_data_folder_that_is_named_is_the_only_one(tmp_path: Path) -> None:
    """Nothing else on this machine is looked at."""
    with pytest.raises(OwnError):
        find({"PAYGATE_DATA_DIR": str(tmp_path)}, tmp_path, own)
