"""Settings of every service: from the environment, from files, or from a folder of files."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import pydantic
from pydantic import AfterValidator, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from pkg.process.timing import Time
from pkg.secret import Secret

S = TypeVar("S", bound="ServiceSettings")
FILE_BYTES_MAX = 64 * 1024
_HEX = re.compile(r"([0-9a-fA-F]{2})*\Z")


def _hexadecimal(value: SecretStr) -> SecretStr:
    if not _HEX.match(value.get_secret_value()):
        raise ValueError("must be hexadecimal digits, two for each byte")
    return value


HexKey = Annotated[SecretStr, AfterValidator(_hexadecimal)]


class ServiceSettings(BaseSettings):
    """What a process is told. Every field is a variable: its alias, or the prefix and its name.

    Any of them may stand in a file instead: one that `<VARIABLE>_FILE` names, or one in the folder
    `<PREFIX>SECRETS_DIR`, called like the variable in lower case. Nothing secret has a default, and
    no error repeats a value.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # a file too many
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, the strongest first."""
        named_files = _NamedFiles(settings_cls)
        return init_settings, env_settings, named_files, file_secret_settings


def load(settings: type[S]) -> S:
    """Return the settings of this process.

    Raises:
        pydantic.ValidationError: Something is missing or wrong; all of it is named.
        SettingsError: A file that a variable names can't be read.
    """
    folder = os.environ.get(f"{_prefix(settings)}SECRETS_DIR")
    # Given at run time: pydantic-settings reads no folder's name from the environment by itself.
    return settings(_secrets_dir=folder)  # type: ignore[call-arg]


def load_or_explain(settings: type[S], complain: Callable[[str], object]) -> S | None:
    """Return the settings, or None once everything that is wrong with them was said."""
    try:
        return load(settings)
    except SettingsError as problem:
        complain(f"{problem}\n")
    except pydantic.ValidationError as problem:
        # Only names and kinds of problems: the values may be secrets.
        for wrong in problem.errors(include_input=False, include_url=False, include_context=False):
            name = ".".join(map(str, wrong["loc"])) or settings.__name__
            complain(f"{_variable(settings, name)}: {wrong['msg']}\n")
    return None


def time_of(settings: "ServiceSettings", field: str) -> Time:
    """Return a setting in seconds, with the name of its variable."""
    seconds: float = getattr(settings, field)
    return Time(_variable(type(settings), field), seconds)


def as_secret(value: SecretStr) -> Secret:
    """Return a setting as the kind of secret that the services know."""
    return Secret(value.get_secret_value())


class _NamedFiles(PydanticBaseSettingsSource):
    """The files that `<VARIABLE>_FILE` names."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the text of the field's file, without the line's end."""
        variable = _variable(self.settings_cls, field_name)
        named = os.environ.get(f"{variable}_FILE")
        key = str(field.validation_alias or field_name)
        if named is None:
            return None, key, False
        if variable in os.environ:
            raise SettingsError(f"{variable} and {variable}_FILE are both set: remove one.")
        try:
            with Path(named).open("rb") as file:
                text = file.read(FILE_BYTES_MAX).decode()
        except (OSError, UnicodeDecodeError) as problem:
            why = problem.strerror if isinstance(problem, OSError) else "it is not text"
            raise SettingsError(f"{variable}_FILE can't be read: {why}.") from None
        return text.strip("\r\n"), key, False

    def __call__(self) -> dict[str, Any]:
        """Return what the files say, by the field's name or alias."""
        found = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                found[key] = value
        return found


def _prefix(settings: type[BaseSettings]) -> str:
    return settings.model_config.get("env_prefix", "")


def _variable(settings: type[BaseSettings], name: str) -> str:
    field = settings.model_fields.get(name)
    if field is None:
        return name  # an alias, or the whole
    return str(field.validation_alias or f"{_prefix(settings)}{name.upper()}")
