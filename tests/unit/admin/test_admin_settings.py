"""Settings of the admin process: it listens where only this machine can reach it."""

import pytest

from pkg.process.settings import load, load_or_explain
from services.payments.setup.admin_config import AdminSettings

TOKEN, PEPPER = "7e" * 32, "0f" * 32


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process needs at least."""
    monkeypatch.setenv("PAYGATE_ADMIN_DATABASE_URL", "postgresql://user:hunter2@127.0.0.1/payments")
    monkeypatch.setenv("PAYGATE_ADMIN_TOKEN", TOKEN)
    monkeypatch.setenv("PAYGATE_KEY_PEPPER", PEPPER)


@pytest.mark.parametrize("address", ["127.0.0.1:50054", "127.8.8.8:1", "[::1]:50054"])
def test_a_loopback_address_is_taken(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Every address of the loopback interface is, of either family."""
    monkeypatch.setenv("PAYGATE_ADMIN_LISTEN", address)
    assert load(AdminSettings).admin_listen == address


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:50054", "[::]:50054", "10.0.0.1:50054", "localhost:50054", "127.0.0.1", ":50054", ""],
)
def test_any_other_address_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Anything that may be reachable from elsewhere ends the start, with the setting named."""
    monkeypatch.setenv("PAYGATE_ADMIN_LISTEN", address)
    lines: list[str] = []
    assert load_or_explain(AdminSettings, lines.append) is None
    (line,) = lines
    assert line.startswith("PAYGATE_ADMIN_LISTEN: ")
    assert "loopback" in line


def test_a_short_token_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that could be guessed is none, and it is not repeated."""
    monkeypatch.setenv("PAYGATE_ADMIN_TOKEN", "letmein")
    lines: list[str] = []
    assert load_or_explain(AdminSettings, lines.append) is None
    assert lines[0].startswith("PAYGATE_ADMIN_TOKEN: ")
    assert "letmein" not in "".join(lines)


def test_secrets_do_not_show() -> None:
    """Printing the settings shows neither token nor pepper nor password."""
    shown = repr(load(AdminSettings))
    assert not any(secret in shown for secret in (TOKEN, PEPPER, "hunter2"))
