"""Where settings come from: the environment, a named file, a folder of files; and what is said."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict, SettingsError

from pkg.process.settings import ServiceSettings, load, load_or_explain

VALUE = "correct horse battery staple"


class Example(ServiceSettings):
    """A service's settings."""

    model_config = SettingsConfigDict(env_prefix="EXAMPLE_")

    address: SecretStr = Field(validation_alias="ADDRESS")
    key: SecretStr = Field(min_length=8)
    limit: int = 3


def by_environment(monkeypatch: pytest.MonkeyPatch, _folder: Path, variable: str) -> None:
    """The variable itself."""
    monkeypatch.setenv(variable, VALUE)


def by_named_file(monkeypatch: pytest.MonkeyPatch, folder: Path, variable: str) -> None:
    """A file that a variable names; editors end it with a line's end."""
    (folder / "any-name").write_text(VALUE + "\n")
    monkeypatch.setenv(f"{variable}_FILE", str(folder / "any-name"))


def by_folder(monkeypatch: pytest.MonkeyPatch, folder: Path, variable: str) -> None:
    """A file in the folder of secrets."""
    (folder / variable.lower()).write_text(VALUE + "\n")
    monkeypatch.setenv("EXAMPLE_SECRETS_DIR", str(folder))


@pytest.mark.parametrize("give", [by_environment, by_named_file, by_folder])
@pytest.mark.parametrize(("variable", "field"), [("ADDRESS", "address"), ("EXAMPLE_KEY", "key")])
def test_a_setting_has_three_sources(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, give: object, variable: str, field: str
) -> None:
    """Each field, by its alias or its prefix, may come from each of them."""
    monkeypatch.setenv("ADDRESS", "somewhere")
    monkeypatch.setenv("EXAMPLE_KEY", "0123456789")
    monkeypatch.delenv(variable)
    assert callable(give)
    give(monkeypatch, tmp_path, variable)
    value: SecretStr = getattr(load(Example), field)
    assert value.get_secret_value() == VALUE
    assert VALUE not in repr(load(Example))


def test_two_sources_that_contradict_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A variable and its file: nobody could tell which one was meant."""
    by_environment(monkeypatch, tmp_path, "ADDRESS")
    by_named_file(monkeypatch, tmp_path, "ADDRESS")
    with pytest.raises(SettingsError, match="ADDRESS and ADDRESS_FILE are both set"):
        load(Example)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {"EXAMPLE_KEY": "hush", "EXAMPLE_LIMIT": "s3cret"},
            ["ADDRESS: ", "EXAMPLE_KEY: ", "EXAMPLE_LIMIT: "],
        ),
        ({"ADDRESS_FILE": "/nowhere/at/all"}, ["ADDRESS_FILE can't be read: No such file"]),
    ],
)
def test_all_that_is_wrong_is_said_at_once_without_a_value(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], said: list[str]
) -> None:
    """An operator sees every variable at fault, and no secret that is nearly right."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    lines: list[str] = []
    assert load_or_explain(Example, lines.append) is None
    assert [line[: len(start)] for line, start in zip(lines, said, strict=True)] == said
    assert not any(value in "".join(lines) for value in environment.values() if "/" not in value)
