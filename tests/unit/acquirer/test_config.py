"""The settings come from the environment and keep the database's password to themselves."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from pkg.process.settings import load
from services.acquirer.config import Config

URL = "postgresql://acquirer:swordfish@db/acquirer"


def test_settings_have_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the database has to be named."""
    monkeypatch.setenv("ACQUIRER_DATABASE_URL", URL)
    config = load(Config)
    assert config.listen == "127.0.0.1:50052"
    assert config.database_url.get_secret_value() == URL
    assert "swordfish" not in repr(config)


def test_a_wrong_setting_does_not_print_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the setting at fault, without any value."""
    monkeypatch.setenv("ACQUIRER_DATABASE_URL", URL)
    monkeypatch.setenv("ACQUIRER_SLOW_SECONDS", "soon")
    with pytest.raises(ValidationError) as raised:
        load(Config)
    assert "slow_seconds" in str(raised.value)
    assert "swordfish" not in str(raised.value)
    assert "soon" not in str(raised.value)


def test_a_secret_may_be_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Named like its variable, in the folder that the environment names."""
    (tmp_path / "acquirer_database_url").write_text(URL + "\n")
    monkeypatch.delenv("ACQUIRER_DATABASE_URL", raising=False)
    monkeypatch.setenv("ACQUIRER_SECRETS_DIR", str(tmp_path))
    assert load(Config).database_url.get_secret_value() == URL
