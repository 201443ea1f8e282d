"""What tests wait for when their gateway has died."""

import time

import pytest

from paygate_testing import gateway
from paygate_testing.errors import SetupError
from paygate_testing.gateway import Gateway
from tests.chaos.rig import free_port

API_KEY = "sk_0000000000000000_" + "0" * 64
FIRST_SECONDS, NEXT_SECONDS = 3.0, 0.2


def test_only_the_first_test_waits_for_a_gateway_that_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others look whether it is back, for a moment, and say the same."""
    monkeypatch.setattr(gateway, "_CALL_SECONDS_MAX", FIRST_SECONDS)
    monkeypatch.setattr(gateway, "_MOMENT_SECONDS", NEXT_SECONDS)
    there = Gateway(f"http://127.0.0.1:{free_port()}", API_KEY, origin="PAYGATE_URL")
    took = []
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(SetupError, match="nobody answers"), there.sandbox("a test"):
            pass
        took.append(time.monotonic() - began)
    # Its waits are random, and a last one that does not fit in is not begun.
    assert took[0] > 2 * NEXT_SECONDS
    assert max(took[1:]) < FIRST_SECONDS / 2
    there.client.close()
