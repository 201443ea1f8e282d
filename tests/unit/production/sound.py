"""Settings that nothing speaks against, and what is said of changed ones."""

import secrets
from collections.abc import Mapping

import pytest

from pkg.process.production import static_reasons
from pkg.process.settings import load
from services.events.config import Settings as EventsSettings
from services.payments.setup.admin_config import AdminSettings
from services.payments.setup.config import Settings as PaymentsSettings

PEPPER, HASH_KEY, WEBHOOK_KEY = (secrets.token_hex(32) for _ in range(3))
PASSWORD, ADMIN_TOKEN = secrets.token_hex(16), secrets.token_hex(32)
URL = f"postgresql://paygate:{PASSWORD}@database/payments"
GATEWAY = [("payments", "serve"), ("events", "serve")]
PAYMENTS = [("payments", "serve"), ("payments", "sweep")]
EVENTS = [("events", "serve"), ("events", "relay")]
EVERY = [*GATEWAY, ("payments", "sweep"), ("events", "relay")]


class Reasons:
    """Sets the environment and asks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, sound: Mapping[str, str]) -> None:
        self._monkeypatch = monkeypatch
        self._sound = sound

    def of(self, process: tuple[str, str], changes: Mapping[str, str | None]) -> list[str]:
        """Return what is said of a role with these settings changed, or removed."""
        service, role = process
        for name, value in {**self._sound, **changes}.items():
            if value is None:
                self._monkeypatch.delenv(name, raising=False)
            else:
                self._monkeypatch.setenv(name, value)
        if role == "admin":
            return static_reasons(load(AdminSettings).posture(role))
        if service == "payments":
            return static_reasons(load(PaymentsSettings).posture(role))
        return static_reasons(load(EventsSettings).posture(role))
