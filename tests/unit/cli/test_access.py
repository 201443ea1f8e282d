"""Which gateway and merchant a command is for."""

from pathlib import Path

import pytest

from tools.cli.access import URL_DEFAULT, Place, place_of

KEY, OTHER = "sk_0000000000000000_" + "0" * 64, "sk_1111111111111111_" + "1" * 64
URL = "http://127.0.0.1:9000"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data folder of a gateway that serves."""
    (tmp_path / "demo.env").write_text(f"PAYGATE_URL={URL}\nPAYGATE_API_KEY={KEY}\n")
    return tmp_path


def test_the_environment_counts(folder: Path) -> None:
    """More than a gateway on this machine, whose address is taken where only a key is given."""
    said = {"PAYGATE_DATA_DIR": str(folder), "PAYGATE_API_KEY": OTHER}
    assert place_of(said) == Place(URL, OTHER, str(folder / "demo.env"))
    assert place_of({**said, "PAYGATE_DATA_DIR": "/nowhere"}).url == URL_DEFAULT
    assert place_of({**said, "PAYGATE_URL": "https://pay.test"}) == Place(
        "https://pay.test", OTHER, "PAYGATE_URL"
    )


def test_a_gateway_on_this_machine_is_found(folder: Path) -> None:
    """By its data folder, and it is told where that was read."""
    found = Place(URL, KEY, str(folder / "demo.env"))
    assert place_of({"PAYGATE_DATA_DIR": str(folder)}) == found
    assert place_of({"PAYGATE_DATA_DIR": str(folder), "PAYGATE_URL": f"{URL}/"}) == found


def test_a_key_goes_to_its_own_gateway_alone(folder: Path) -> None:
    """Who names another one has to bring its key."""
    with pytest.raises(ValueError, match="set PAYGATE_API_KEY, too") as refused:
        place_of({"PAYGATE_DATA_DIR": str(folder), "PAYGATE_URL": "https://pay.test"})
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("name", ["PAYGATE_URL", "PAYGATE_API_KEY"])
def test_what_is_set_and_empty_is_no_answer(folder: Path, name: str) -> None:
    """What should have filled it has failed: nobody else's key is used in its place."""
    with pytest.raises(ValueError, match=f"{name} is set, and empty"):
        place_of({"PAYGATE_DATA_DIR": str(folder), name: ""})


def test_where_there_is_none_it_says_where_it_looked(tmp_path: Path) -> None:
    """So that whoever has another data folder sees it."""
    with pytest.raises(ValueError, match=f"there is no {tmp_path}/demo.env"):
        place_of({"PAYGATE_DATA_DIR": str(tmp_path)})


def test_a_place_does_not_print_its_key() -> None:
    """Not in a traceback either."""
    assert KEY not in repr(Place(URL, KEY, "PAYGATE_URL"))
