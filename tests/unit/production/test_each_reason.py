"""Each reason for which production refuses to start, alone."""

import secrets

import pytest

from tests.unit.production.sound import (
    EVENTS,
    EVERY,
    GATEWAY,
    HASH_KEY,
    PAYMENTS,
    PEPPER,
    URL,
    Reasons,
)

VAULT = {
    "PAYGATE_VAULT_ADDRESS": "https://vault:8200",
    "PAYGATE_VAULT_TOKEN": secrets.token_hex(16),
    "PAYGATE_VAULT_DATABASE_URL": f"{URL}?sslmode=verify-full",
}
PLAIN = "DATABASE_URL: the database may be spoken to in plain text"
WEAK = "DATABASE_URL: its password is short or has a pattern"
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
