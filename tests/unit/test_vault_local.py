"""The local vault's file of keys: closed to others, made once, rotated, and bound to merchants."""

import asyncio
import fcntl
import json
import sys
from pathlib import Path

import pytest

from pkg.errors import DependencyUnavailableError
from services.payments.adapters.vault import local as vault_local
from services.payments.adapters.vault.local import KeyringError, LocalWrapper


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


# Rotates, and says which data keys it has wrapped meanwhile.
ROTATES = """
import asyncio, pathlib, sys
from services.payments.adapters.vault.local import LocalWrapper
async def main():
    wrapper = LocalWrapper(pathlib.Path(sys.argv[1]))
    for _ in range(ROTATIONS):
        await wrapper.rotate()
        print((await wrapper.make("mer_a"))[1])
        await wrapper.refuse_older(1)
asyncio.run(main())
"""
ROTATIONS = 40


async def test_processes_that_rotate_at_once_lose_no_key(path: Path) -> None:
    """Every version of every process is there, and opens what it has wrapped."""
    program = ROTATES.replace("ROTATIONS", str(ROTATIONS))
    command = (sys.executable, "-c", program, str(path))
    pipe = asyncio.subprocess.PIPE
    processes = [await asyncio.create_subprocess_exec(*command, stdout=pipe) for _ in range(3)]
    said = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0] * 3
    wrapped = [line for output, _ in said for line in output.decode().splitlines()]
    assert len(wrapped) == 3 * ROTATIONS
    for one in wrapped:
        assert len(await LocalWrapper(path).unwrap("mer_a", one)) == 32
    assert vault_local.read(path).newest.number == 1 + 3 * ROTATIONS
    assert [one.name for one in path.parent.iterdir()] == [path.name]


async def test_a_keyring_that_is_held_for_long_is_not_waited_for_without_end(path: Path) -> None:
    """A process that stands still with it delays a rotation, and nothing that wraps or unwraps."""
    wrapper = LocalWrapper(path, lock_seconds_max=0.1)
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(DependencyUnavailableError):
            await wrapper.rotate()
        secret, wrapped = await wrapper.make("mer_a")
        assert await wrapper.unwrap("mer_a", wrapped) == secret
    assert (await wrapper.rotate()).number == 2
