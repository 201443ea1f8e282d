"""What production asks of each process, and what it lets pass."""

from collections.abc import Mapping

import pytest

from pkg.process.production import static_reasons
from pkg.process.settings import load
from services.acquirer.config import Config as BankSettings
from tests.unit.production.sound import EVENTS, EVERY, GATEWAY, URL, Reasons


@pytest.mark.parametrize("process", EVERY)
def test_a_sound_configuration_is_not_refused(reasons: Reasons, process: tuple[str, str]) -> None:
    """Every role starts with it."""
    assert reasons.of(process, {}) == []


def test_the_admin_process_is_held_to_it_too(reasons: Reasons) -> None:
    """Its token, its database and the vault that it rotates."""
    process = ("payments", "admin")
    assert reasons.of(process, {}) == []
    changes = {
        "PAYGATE_ADMIN_TOKEN": "7e" * 32,
        "PAYGATE_ADMIN_DATABASE_URL": URL,
        "PAYGATE_VAULT": "local",
        "PAYGATE_VAULT_KEYRING": "/nowhere",
        "PAYGATE_VAULT_DATABASE_URL": URL,
        "PAYGATE_METRICS_LISTEN": "[::]:9464",
    }
    assert [line.partition(":")[0] for line in reasons.of(process, changes)] == [
        "PAYGATE_METRICS_LISTEN",
        "PAYGATE_VAULT",
        "PAYGATE_ADMIN_TOKEN",
        "PAYGATE_ADMIN_DATABASE_URL",
        "PAYGATE_VAULT_DATABASE_URL",
    ]


NO_TLS = {"PAYGATE_TLS_CERTIFICATE_FILE": None, "PAYGATE_TLS_KEY_FILE": None}
NO_TLS |= {"PAYGATE_TLS_CLIENT_CA_FILE": None}


def test_not_every_role_listens(reasons: Reasons) -> None:
    """Without a listener, a vault or a bank, nothing is asked of it."""
    limits_off = {"PAYGATE_RATE_LIMIT_PER_SECOND": "0", "PAYGATE_VAULT": "local"}
    without = {**NO_TLS, **limits_off, "PAYGATE_ACQUIRER_CA_FILE": None}
    assert reasons.of(("events", "relay"), without) == []
    (line,) = reasons.of(("payments", "sweep"), without)
    assert line.startswith("PAYGATE_ACQUIRER_CA_FILE")


@pytest.mark.parametrize("url", ["postgresql://p@/x?host=/run/a", "postgresql://p@%2Frun%2Fa/x"])
def test_a_socket_needs_neither_tls_nor_password(reasons: Reasons, url: str) -> None:
    """What never leaves the machine may be in plain text."""
    assert reasons.of(("payments", "serve"), {"DATABASE_URL": url}) == []


def test_a_server_without_tls_lacks_both_halves(reasons: Reasons) -> None:
    """Its certificate, and whose certificates it takes, are said at once."""
    for process in GATEWAY:
        assert [line.partition(":")[0] for line in reasons.of(process, NO_TLS)] == [
            "PAYGATE_TLS_CERTIFICATE_FILE",
            "PAYGATE_TLS_CLIENT_CA_FILE",
        ]


@pytest.mark.parametrize("address", ["10.0.0.7:9464", "[fd00::7]:9464", "127.0.0.1:1", "pod:9464"])
def test_metrics_may_be_on_an_address_of_their_own(reasons: Reasons, address: str) -> None:
    """The pod's, for example, which Prometheus reaches."""
    for process in EVERY:
        assert reasons.of(process, {"PAYGATE_METRICS_LISTEN": address}) == []


def test_the_bus_may_be_spoken_to_by_tls(reasons: Reasons) -> None:
    """One server or several."""
    for process in EVENTS:
        assert reasons.of(process, {"PAYGATE_NATS_URL": "tls://a:4222,tls://b:4222"}) == []


def test_the_bank_is_held_to_it_too(
    monkeypatch: pytest.MonkeyPatch, sound: Mapping[str, str]
) -> None:
    """Where it is told that this is production."""
    monkeypatch.setenv("ACQUIRER_DATABASE_URL", URL)
    monkeypatch.setenv("ACQUIRER_METRICS_LISTEN", "0.0.0.0:9464")
    said = static_reasons(load(BankSettings).posture("serve"))
    assert [line.partition(":")[0] for line in said] == [
        "ACQUIRER_TLS_CERTIFICATE_FILE",
        "ACQUIRER_TLS_CLIENT_CA_FILE",
        "ACQUIRER_METRICS_LISTEN",
        "ACQUIRER_DATABASE_URL",
    ]
    for name in ("TLS_CERTIFICATE_FILE", "TLS_KEY_FILE", "TLS_CLIENT_CA_FILE"):
        monkeypatch.setenv(f"ACQUIRER_{name}", sound[f"PAYGATE_{name}"])
    monkeypatch.setenv("ACQUIRER_METRICS_LISTEN", "10.0.0.7:9464")
    monkeypatch.setenv("ACQUIRER_DATABASE_URL", f"{URL}?sslmode=verify-full")
    assert static_reasons(load(BankSettings).posture("serve")) == []
