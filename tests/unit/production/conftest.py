"""What each test of production's reasons begins with."""

from collections.abc import Mapping

import pytest

from tests.certificates import AuthorityInFiles
from tests.unit.production.sound import ADMIN_TOKEN, HASH_KEY, PEPPER, URL, WEBHOOK_KEY, Reasons


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
