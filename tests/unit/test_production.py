"""What production refuses to start with: each reason alone, and none for a sound configuration."""

import re
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from pkg.process.production import KEY_BYTES_DIFFERENT_MIN, is_guessable, is_written, static_reasons
from pkg.process.settings import load
from services.acquirer.config import Config as BankSettings
from services.events.config import Settings as EventsSettings
from services.payments.setup.admin_config import AdminSettings
from services.payments.setup.config import Settings as PaymentsSettings
from tests.certificates import AuthorityInFiles
from tools.stack.settings import REPOSITORY

PEPPER, HASH_KEY, WEBHOOK_KEY = (secrets.token_hex(32) for _ in range(3))
PASSWORD, ADMIN_TOKEN = secrets.token_hex(16), secrets.token_hex(32)
URL = f"postgresql://paygate:{PASSWORD}@database/payments"
GATEWAY = [("payments", "serve"), ("events", "serve")]
PAYMENTS = [("payments", "serve"), ("payments", "sweep")]
EVENTS = [("events", "serve"), ("events", "relay")]
EVERY = [*GATEWAY, ("payments", "sweep"), ("events", "relay")]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Settings that nothing speaks against, for every role."""
    authority = AuthorityInFiles(tmp_path_factory.mktemp("tls"))
    pair = authority.issue("payments.internal.paygate")
    return {
        **pair.environment(client_ca=authority.file),
        "PAYGATE_MODE": "production",
        "PAYGATE_VAULT": "transit",
        "PAYGATE_ACQUIRER_CA_FILE": str(authority.file),
        "DATABASE_URL": f"{URL}?sslmode=verify-full",
        "PAYGATE_READ_DATABASE_URL": f"{URL}?sslmode=verify-full",
        "PAYGATE_KEY_PEPPER": PEPPER,
        "PAYGATE_HASH_KEY": HASH_KEY,
        "PAYGATE_WEBHOOK_KEY": WEBHOOK_KEY,
        "PAYGATE_ADMIN_TOKEN": ADMIN_TOKEN,
        "PAYGATE_ADMIN_DATABASE_URL": f"{URL}?sslmode=verify-full",
    }


@pytest.fixture
def reasons(monkeypatch: pytest.MonkeyPatch, sound: Mapping[str, str]) -> "Reasons":
    """Tells the reasons for changed settings."""
    return Reasons(monkeypatch, sound)


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
VAULT = {
    "PAYGATE_VAULT_ADDRESS": "https://vault:8200",
    "PAYGATE_VAULT_TOKEN": secrets.token_hex(16),
    "PAYGATE_VAULT_DATABASE_URL": f"{URL}?sslmode=verify-full",
}
PLAIN = "DATABASE_URL: the database may be spoken to in plain text"
WEAK = "DATABASE_URL: its password is short or has a pattern"
TWICE = "PAYGATE_HASH_KEY: is the same as PAYGATE_KEY_PEPPER"
PATTERN = "PAYGATE_KEY_PEPPER: has a pattern"
WRITTEN = "PAYGATE_KEY_PEPPER: is made of words or decimal digits"
PI = "31415926535897932384626433832795" + "02884197169399375105820974944592"


@pytest.mark.parametrize(
    ("processes", "changes", "said"),
    [
        ([("payments", "serve")], {"PAYGATE_VAULT": "local"}, "PAYGATE_VAULT: the local keyring"),
        ([("payments", "serve")], {"PAYGATE_VAULT": None}, "PAYGATE_VAULT: the local keyring"),
        (
            [("payments", "serve")],
            {"PAYGATE_VAULT_ADDRESS": "http://vault:8200"},
            "PAYGATE_VAULT_ADDRESS: must be an https address",
        ),
        (
            [("payments", "serve")],
            VAULT | {"PAYGATE_VAULT_DATABASE_URL": URL},
            "PAYGATE_VAULT_DATABASE_URL: the database may be spoken to in plain text",
        ),
        (
            [("payments", "serve")],
            {"PAYGATE_READ_DATABASE_URL": None},
            "PAYGATE_READ_DATABASE_URL: is missing",
        ),
        ([("payments", "serve")], {"PAYGATE_SANDBOX_API": "true"}, "PAYGATE_SANDBOX_API: "),
        (
            [("payments", "serve")],
            {"PAYGATE_SANDBOX_DATABASE_URL": URL},
            "PAYGATE_SANDBOX_DATABASE_URL: must not be set",
        ),
        (
            PAYMENTS,
            {"PAYGATE_ACQUIRER_CA_FILE": None},
            "PAYGATE_ACQUIRER_CA_FILE: is missing",
        ),
        (
            GATEWAY,
            {"PAYGATE_TLS_CLIENT_CA_FILE": None},
            "PAYGATE_TLS_CLIENT_CA_FILE: is missing",
        ),
        (
            GATEWAY,
            {"PAYGATE_RATE_LIMIT_PER_SECOND": "0"},
            "PAYGATE_RATE_LIMIT_PER_SECOND: must not be 0",
        ),
        (
            GATEWAY,
            {"PAYGATE_AUTHENTICATION_FAILURES_PER_SECOND": "0"},
            "PAYGATE_AUTHENTICATION_FAILURES_PER_SECOND: must not be 0",
        ),
        (
            GATEWAY,
            {"PAYGATE_RATE_LIMIT_PER_SECOND": "1e6"},
            "PAYGATE_RATE_LIMIT_PER_SECOND: must be 1,000 or less",
        ),
        (
            GATEWAY,
            {"PAYGATE_RATE_LIMIT_BURST": "1000000"},
            "PAYGATE_RATE_LIMIT_BURST: must be 10,000 or less",
        ),
        (
            GATEWAY,
            {"PAYGATE_AUTHENTICATION_FAILURES_PER_SECOND": "1e6"},
            "PAYGATE_AUTHENTICATION_FAILURES_PER_SECOND: must be 10 or less",
        ),
        (
            GATEWAY,
            {"PAYGATE_AUTHENTICATION_FAILURES_BURST": "1000000"},
            "PAYGATE_AUTHENTICATION_FAILURES_BURST: must be 1,000 or less",
        ),
        (
            GATEWAY,
            {"PAYGATE_IN_FLIGHT_MAX": "1000000"},
            "PAYGATE_IN_FLIGHT_MAX: must be 4,096 or less",
        ),
        *[
            (EVERY, {"PAYGATE_METRICS_LISTEN": address}, "PAYGATE_METRICS_LISTEN: must name one")
            for address in ("0.0.0.0:9464", "[::]:9464", ":9464", "0:9464", "[::ffff:0.0.0.0]:9464")
        ],
        (
            PAYMENTS,
            VAULT | {"PAYGATE_VAULT": "local", "PAYGATE_VAULT_KEYRING": "/nowhere"},
            "PAYGATE_VAULT: the local keyring",
        ),
        *[
            (PAYMENTS, VAULT | {"PAYGATE_VAULT_TOKEN": token}, "PAYGATE_VAULT_TOKEN: is short")
            for token in ("root", "dev-only-token", "ab" * 16)
        ],
        (
            PAYMENTS,
            {"PAYGATE_VAULT_DATA_KEY_LIFETIME_SECONDS": "1e6"},
            "PAYGATE_VAULT_DATA_KEY_LIFETIME_SECONDS: must be 86,400 or less",
        ),
        (
            PAYMENTS,
            {"PAYGATE_VAULT_DATA_KEY_USES_MAX": "100000000"},
            "PAYGATE_VAULT_DATA_KEY_USES_MAX: must be 10,000,000 or less",
        ),
        (
            PAYMENTS,
            {"PAYGATE_IDEMPOTENCY_KEY_LIFETIME_SECONDS": "1"},
            "PAYGATE_IDEMPOTENCY_KEY_LIFETIME_SECONDS: must be 3,600 or more",
        ),
        *[
            ([("payments", "serve")], {f"PAYGATE_{name}": value}, f"PAYGATE_{name}: must {said}")
            for name, value, said in (
                ("CARD_DECLINES_PER_HOUR", "0", "not be 0"),
                ("KEY_DECLINES_PER_HOUR", "0", "not be 0"),
                ("CARD_DECLINES_PER_HOUR", "1e6", "be 60 or less"),
                ("CARD_DECLINES_BURST", "1000000", "be 100 or less"),
                ("KEY_DECLINES_PER_HOUR", "1e9", "be 100,000 or less"),
                ("KEY_DECLINES_BURST", "1000000", "be 10,000 or less"),
            )
        ],
        *[
            (EVENTS, {"PAYGATE_NATS_URL": url}, "PAYGATE_NATS_URL: must be tls://")
            for url in ("nats://bus:4222", "tls://bus:4222,nats://bus-2:4222", "bus:4222")
        ],
        (EVERY, {"PAYGATE_KEY_PEPPER": b"the quick brown fox jumps over it".hex()}, WRITTEN),
        (EVERY, {"PAYGATE_KEY_PEPPER": PI}, WRITTEN),
        (EVERY, {"PAYGATE_KEY_PEPPER": "00" * 32}, PATTERN),
        (EVERY, {"PAYGATE_KEY_PEPPER": "5ea5" * 16}, PATTERN),
        (EVERY, {"PAYGATE_KEY_PEPPER": "0123456789abcdef" * 4}, PATTERN),
        (EVERY, {"PAYGATE_KEY_PEPPER": bytes(range(32)).hex()}, PATTERN),
        (EVERY, {"PAYGATE_KEY_PEPPER": bytes(range(224, 160, -2)).hex()}, PATTERN),
        (
            EVERY,
            {"PAYGATE_HASH_KEY": PEPPER},
            "PAYGATE_HASH_KEY: is the same as PAYGATE_KEY_PEPPER",
        ),
        (
            EVERY,
            {"PAYGATE_HASH_KEY": PEPPER.upper()},
            "PAYGATE_HASH_KEY: is the same as PAYGATE_KEY_PEPPER",
        ),
        (
            EVENTS,
            {"PAYGATE_WEBHOOK_KEY": HASH_KEY},
            "PAYGATE_WEBHOOK_KEY: is the same as PAYGATE_HASH_KEY",
        ),
        (EVERY, {"DATABASE_URL": URL}, PLAIN),
        (EVERY, {"DATABASE_URL": f"{URL}?sslmode=prefer"}, PLAIN),
        (EVERY, {"DATABASE_URL": "postgresql:///payments"}, PLAIN),
        (EVERY, {"DATABASE_URL": "postgresql://paygate@/payments?host=10.0.0.7"}, PLAIN),
        (EVERY, {"DATABASE_URL": "postgresql://%2Frun,database/payments"}, PLAIN),
        (EVERY, {"DATABASE_URL": "postgresql://p:hunter2@%2Frun/payments"}, WEAK),
        (EVERY, {"DATABASE_URL": "postgresql://%2Frun/payments?user=p&password=hunter2"}, WEAK),
        (EVERY, {"DATABASE_URL": f"postgresql://p:{'ab' * 12}@%2Frun/payments"}, WEAK),
        (EVERY, {"DATABASE_URL": "postgresql://[no"}, "DATABASE_URL: is no address"),
    ],
)
def test_each_reason_is_said_alone(
    reasons: Reasons,
    processes: list[tuple[str, str]],
    changes: dict[str, str | None],
    said: str,
) -> None:
    """Where one thing is wrong there is one line, which names the setting and no value."""
    for process in processes:
        (line,) = reasons.of(process, changes)
        assert line.startswith(said)
        values = [value for value in changes.values() if value and len(value) > 5]
        assert not any(value in line for value in values)


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


def test_random_keys_are_never_guessable() -> None:
    """The rule refuses patterns, not luck."""
    for _ in range(20_000):
        key = secrets.token_bytes(32)
        assert not is_guessable(key, different_min=KEY_BYTES_DIFFERENT_MIN)
        assert not is_written(key.hex())


def test_every_key_that_is_written_down_is_refused() -> None:
    """No key of the repository's tests and documents would do in production."""
    listed = ["git", "ls-files", "tests", "docs", "deploy", "README.md", "docker-compose.yml"]
    names = subprocess.run(listed, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    found = set()
    for name in names.stdout.split():
        text = Path(REPOSITORY, name).read_text(errors="replace")
        found |= set(re.findall(r"(?:KEY|PEPPER)\b.{0,20}?\b([0-9a-f]{64})\b", text))
        found |= {pair * 32 for pair in re.findall(r"\"([0-9a-f]{2})\" \* 32", text)}
    assert len(found) > 5
    for key in found:
        assert is_guessable(bytes.fromhex(key), different_min=KEY_BYTES_DIFFERENT_MIN), key
