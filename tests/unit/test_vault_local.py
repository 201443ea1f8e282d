"""The local vault's file of keys: closed to others, made once, rotated, and bound to merchants."""

import json
from pathlib import Path

import pytest

from pkg.errors import DependencyUnavailableError
from services.payments.adapters import vault_local
from services.payments.adapters.vault_local import KeyringError, LocalWrapper


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of keys, just made, in a folder that was made for it."""
    path = tmp_path / "new" / "keyring.json"
    vault_local.make(path)
    return path


def test_the_file_is_closed_to_others(path: Path) -> None:
    """Only its owner can read it, and it is made with nothing else lying about."""
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    assert [one.name for one in path.parent.iterdir()] == ["keyring.json"]


def test_making_it_again_changes_nothing(path: Path) -> None:
    """Several workers start at once: the first key stays."""
    before = path.read_text()
    vault_local.make(path)
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("text", "mode", "problem"),
    [
        (None, 0o640, "must be closed to others"),
        ("", 0o600, "not a file of keys"),
        ("[]", 0o600, "not a file of keys"),
        ('{"oldest": 1, "versions": {}}', 0o600, "not a file of keys"),
        ('{"oldest": 1, "versions": {"1": {"key": "00"}}}', 0o600, "not a file of keys"),
    ],
)
def test_a_bad_file_is_refused(path: Path, text: str | None, mode: int, problem: str) -> None:
    """What others could read, or what is no keyring, is not used; the message holds no key."""
    key = next(iter(json.loads(path.read_text())["versions"].values()))["key"]
    if text is not None:
        path.write_text(text)
    path.chmod(mode)
    with pytest.raises(KeyringError, match=problem) as raised:
        vault_local.read(path)
    assert key not in str(raised.value)


async def test_a_data_key_opens_for_its_merchant_only(path: Path) -> None:
    """Wrapped for one merchant, it is of no use to another; nor is it after a change."""
    wrapper = LocalWrapper(path)
    secret, wrapped = await wrapper.make("mer_a")
    assert await wrapper.unwrap("mer_a", wrapped) == secret
    assert len(secret) == 32
    changed = wrapped[:-6] + ("A" if wrapped[-6] != "A" else "B") + wrapped[-5:]
    for merchant_id, text in (
        ("mer_b", wrapped),
        ("mer_a", changed),
        ("mer_a", "vault:" + wrapped.partition(":")[2]),
        ("mer_a", "nonsense"),
    ):
        with pytest.raises(DependencyUnavailableError):
            await wrapper.unwrap(merchant_id, text)


async def test_rotation_keeps_old_keys_until_they_are_refused(path: Path) -> None:
    """A new version wraps at once, in every process; old ones unwrap until they are refused."""
    wrapper, other_process = LocalWrapper(path), LocalWrapper(path)
    secret, old = await wrapper.make("mer_a")
    assert (await wrapper.rotate()).number == 2
    _, new = await other_process.make("mer_a")
    assert (old[:9], new[:9]) == ("local:v1:", "local:v2:")
    (anew,) = await wrapper.rewrap([("mer_a", old)])
    assert anew.startswith("local:v2:")
    assert await other_process.unwrap("mer_a", old) == secret
    await wrapper.refuse_older(2)
    assert await other_process.unwrap("mer_a", anew) == secret
    with pytest.raises(DependencyUnavailableError):
        await other_process.unwrap("mer_a", old)
    vault_local.read(path)  # it is still closed to others
