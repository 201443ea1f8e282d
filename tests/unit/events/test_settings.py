"""Settings of the events service: defaults, bounds, and that secrets do not show."""

from datetime import timedelta

import pydantic
import pytest

from pkg.process.mode import Mode
from pkg.process.settings import load
from services.events.config import Settings
from services.events.deliver import DeliveryLimits
from services.events.relay import RelayLimits

KEY = "0f" * 32


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process needs at least."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:hunter2@127.0.0.1/payments")
    for name in ("PAYGATE_KEY_PEPPER", "PAYGATE_HASH_KEY", "PAYGATE_WEBHOOK_KEY"):
        monkeypatch.setenv(name, KEY)


def test_the_limits_are_the_workers_own_by_default() -> None:
    """What nobody sets is what relay and deliverer are made for."""
    settings = load(Settings)
    assert settings.relay_limits == RelayLimits()
    assert settings.delivery_limits == DeliveryLimits()
    assert (settings.mode, settings.nats_url) == (Mode.SANDBOX, None)


def test_settings_reach_the_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retention, lease and concurrency are the operator's to set."""
    for name, value in {
        "PAYGATE_MODE": "production",
        "PAYGATE_EVENT_RETENTION_DAYS": "7",
        "PAYGATE_DELIVERY_LEASE_SECONDS": "12",
        "PAYGATE_DELIVERIES_UNDER_WAY_MAX": "3",
        "PAYGATE_DELIVERIES_UNDER_WAY_PER_ENDPOINT_MAX": "2",
    }.items():
        monkeypatch.setenv(name, value)
    settings = load(Settings)
    assert settings.mode is Mode.PRODUCTION
    assert settings.relay_limits.keep == timedelta(days=7)
    limits = settings.delivery_limits
    assert limits.lease == timedelta(seconds=12)
    assert (limits.under_way_max, limits.under_way_per_endpoint_max) == (3, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAYGATE_MODE", "staging"),
        ("PAYGATE_WEBHOOK_KEY", KEY + "0"),
        ("PAYGATE_WEBHOOK_KEY", ""),
        ("PAYGATE_EVENT_RETENTION_DAYS", "0"),
        ("PAYGATE_DELIVERY_LEASE_SECONDS", "0"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """A process with it does not start."""
    monkeypatch.setenv(name, value)
    with pytest.raises(pydantic.ValidationError):
        load(Settings)


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Printing the settings shows neither keys nor the passwords in addresses."""
    monkeypatch.setenv("PAYGATE_NATS_URL", "nats://user:hunter2@127.0.0.1")
    settings: Settings = load(Settings)
    assert KEY not in repr(settings)
    assert "hunter2" not in repr(settings)
