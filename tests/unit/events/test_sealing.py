"""Signing secrets at rest."""

import base64

import pytest

from pkg.secret import Secret
from services.events.sealing import SealBrokenError, SecretBox, new_secret, shown

KEY = "0f" * 32
PLACE = {"merchant_id": "mer_a", "endpoint_id": "we_a", "secret_id": "whs_a"}


def box(key: str = KEY) -> SecretBox:
    """Return a box."""
    return SecretBox(Secret(key))


def test_a_sealed_secret_opens() -> None:
    """The database holds a secret that only the key opens."""
    secret = new_secret()

    sealed = box().seal(secret, **PLACE)

    assert secret not in sealed
    assert box().open(sealed, **PLACE) == secret


def test_two_seals_of_one_secret_differ() -> None:
    """Each seal has its own nonce."""
    assert box().seal(b"s" * 32, **PLACE) != box().seal(b"s" * 32, **PLACE)


@pytest.mark.parametrize("part", PLACE)
def test_a_secret_cannot_be_moved(part: str) -> None:
    """A seal holds for one merchant, one endpoint and one secret."""
    sealed = box().seal(new_secret(), **PLACE)

    with pytest.raises(SealBrokenError):
        box().open(sealed, **(PLACE | {part: "x"}))


def test_places_do_not_run_together() -> None:
    """A letter that moves from one id to the next makes another place."""
    sealed = box().seal(new_secret(), merchant_id="ab", endpoint_id="c", secret_id="d")

    with pytest.raises(SealBrokenError):
        box().open(sealed, merchant_id="a", endpoint_id="bc", secret_id="d")


@pytest.mark.parametrize("cut", [0, 1, 12, 13, 20, 60])
def test_what_is_cut_short_is_refused(cut: int) -> None:
    """Half a seal is no seal."""
    sealed = box().seal(new_secret(), **PLACE)

    with pytest.raises(SealBrokenError):
        box().open(sealed[:cut], **PLACE)


@pytest.mark.parametrize("at", [0, 5, 20, -1])
def test_a_changed_byte_is_refused(at: int) -> None:
    """Every byte counts: format, nonce, secret and tag."""
    sealed = bytearray(box().seal(new_secret(), **PLACE))
    sealed[at] ^= 1

    with pytest.raises(SealBrokenError):
        box().open(bytes(sealed), **PLACE)


def test_another_key_opens_nothing() -> None:
    """The database alone is worth nothing."""
    with pytest.raises(SealBrokenError):
        box("f0" * 32).open(box().seal(new_secret(), **PLACE), **PLACE)


@pytest.mark.parametrize("key", ["", "0f", "0f" * 31, "0f" * 33, "zz" * 32])
def test_a_key_has_32_bytes_and_is_never_repeated(key: str) -> None:
    """A wrong key is refused without being named."""
    with pytest.raises(ValueError, match="64 hexadecimal digits") as problem:
        box(key)
    assert not key or key not in str(problem.value)


def test_a_secret_is_shown_in_the_standards_form() -> None:
    """Merchants get `whsec_` and base64 of 32 random bytes."""
    secret = new_secret()

    assert base64.b64decode(shown(secret).removeprefix("whsec_")) == secret
    assert len(secret) == 32
    assert secret != new_secret()
