"""Wraps data keys with a key in a file: for one machine, and for no production.

The file holds every version of the key. It is read each time a key is wrapped or unwrapped, which
is rarely, so that all processes know a new version at once.
"""

import asyncio
import base64
import fcntl
import json
import os
import secrets
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pkg.errors import DependencyUnavailableError, MisconfiguredError
from services.payments.adapters.vault.keys import NONCE_BYTES, KeyVersion

logger = structlog.get_logger()

KIND = "local"
_KEY_BYTES = 32
LOCK_SECONDS_MAX, _LOCK_POLL_SECONDS = 5.0, 0.01  # a change takes milliseconds


class KeyringError(MisconfiguredError):
    """The file of keys can't be used; the message says why, for the operator."""


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """All versions of the key, the newest last; those before `oldest` are refused."""

    oldest: int
    versions: dict[int, tuple[bytes, datetime]]

    @property
    def newest(self) -> KeyVersion:
        """The version that wraps."""
        number = max(self.versions)
        return KeyVersion(number, f"{KIND}:v{number}:", self.versions[number][1])

    def accepted(self, kind: str, number: int) -> bytes:
        """Return the key of a version, or raise KeyError where it is refused or none of ours."""
        if kind != KIND or number < self.oldest:
            raise KeyError
        return self.versions[number][0]

    def with_one_more(self) -> "Keyring":
        """Return the keyring with a fresh key on it."""
        fresh = (secrets.token_bytes(_KEY_BYTES), datetime.now(UTC))
        return replace(self, versions={**self.versions, max(self.versions, default=0) + 1: fresh})


class LocalWrapper:
    """Wraps data keys by AES-256-GCM, each bound to its merchant and the key's version.

    Args:
        path: The file of keys, which only its owner may read.
        lock_seconds_max: How long a change waits for that of another process.
    """

    def __init__(self, path: Path, *, lock_seconds_max: float = LOCK_SECONDS_MAX) -> None:
        self._path = path
        self._lock_seconds_max = lock_seconds_max

    async def make(self, merchant_id: str) -> tuple[bytes, str]:
        """Return a fresh key of 256 bits, and the same wrapped for that merchant."""
        secret = AESGCM.generate_key(256)
        return secret, _wrap(self._read(), merchant_id, secret)

    async def unwrap(self, merchant_id: str, wrapped: str) -> bytes:
        """Return the key."""
        return _unwrap(self._read(), merchant_id, wrapped)

    async def rewrap(self, keys: list[tuple[str, str]]) -> list[str]:
        """Return keys, given as (merchant id, wrapped), wrapped by the newest version."""
        ring = self._read()
        return [
            _wrap(ring, merchant_id, _unwrap(ring, merchant_id, wrapped))
            for merchant_id, wrapped in keys
        ]

    async def rotate(self) -> KeyVersion:
        """Make a new version, which wraps from now on."""
        async with self._alone():
            ring = self._read().with_one_more()
            _write(self._path, ring)
            return ring.newest

    async def newest(self) -> KeyVersion:
        """Return the newest version."""
        return self._read().newest

    async def refuse_older(self, version: int) -> None:
        """Refuse to unwrap what versions before this one have wrapped."""
        async with self._alone():
            _write(self._path, replace(self._read(), oldest=version))

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Be the only process that changes the file, or what wraps a data key could be lost.

        Raises:
            DependencyUnavailableError: It can't be had, or another process does not let go of it.
        """
        try:
            async with asyncio.timeout(self._lock_seconds_max):
                while (file := _locked(self._path)) is None:  # noqa: ASYNC110 - of other processes
                    await asyncio.sleep(_LOCK_POLL_SECONDS)
        except (OSError, TimeoutError) as problem:
            logger.error("the keyring can't be locked", problem=str(problem))  # noqa: TRY400  # said
            raise DependencyUnavailableError from None
        with file:
            yield

    def _read(self) -> Keyring:
        try:
            return read(self._path)
        except KeyringError as problem:
            logger.error("the keyring can't be used", problem=str(problem))  # noqa: TRY400  # said
            raise DependencyUnavailableError from None


def _locked(path: Path) -> BinaryIO | None:
    """Lock the file of keys until it is closed; None if another process holds it just now."""
    file = path.open("rb")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it before may have put another file in its place.
        if os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return file
    except BlockingIOError:
        pass
    file.close()
    return None


def exists(path: Path) -> bool:
    """Tell whether there is a file of keys."""
    return path.exists()


def make(path: Path) -> None:
    """Make a file with a first key, unless there is one.

    Raises:
        KeyringError: It can't be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write(path, Keyring(1, {}).with_one_more(), only_new=True)
    except FileExistsError:
        return  # another process was faster, and its key is as good
    except OSError as problem:
        raise KeyringError(f"{path} can't be written: {problem.strerror}") from None


def read(path: Path) -> Keyring:
    """Return the keyring in a file.

    Raises:
        KeyringError: It can't be read, is no keyring, or others could read it.
    """
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise KeyringError(f"{path} must be closed to others: chmod 600")
            return _ring(json.load(file))
    except OSError as problem:
        raise KeyringError(f"{path} can't be read: {problem.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise KeyringError(f"{path} is not a file of keys") from None


def _ring(read: dict[str, Any]) -> Keyring:
    versions = {
        int(number): (bytes.fromhex(entry["key"]), datetime.fromisoformat(entry["create_time"]))
        for number, entry in read["versions"].items()
    }
    if not versions or any(len(key) != _KEY_BYTES for key, _ in versions.values()):
        raise ValueError
    return Keyring(int(read["oldest"]), versions)


def _write(path: Path, ring: Keyring, *, only_new: bool = False) -> None:
    """Write the file whole or not at all, and to the disk: what it wraps is worth as much."""
    versions = {
        str(number): {"key": key.hex(), "create_time": made.isoformat()}
        for number, (key, made) in ring.versions.items()
    }
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump({"oldest": ring.oldest, "versions": versions}, file)
            file.flush()
            os.fsync(file.fileno())
        if only_new:
            path.hardlink_to(partial)  # fails where somebody else has made it meanwhile
        else:
            partial.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)
    finally:
        partial.unlink(missing_ok=True)


def _wrap(ring: Keyring, merchant_id: str, secret: bytes) -> str:
    newest = ring.newest
    nonce = secrets.token_bytes(NONCE_BYTES)
    cipher = AESGCM(ring.versions[newest.number][0])
    box = cipher.encrypt(nonce, secret, _place(merchant_id, newest.number))
    return newest.prefix + base64.b64encode(nonce + box).decode()


def _unwrap(ring: Keyring, merchant_id: str, wrapped: str) -> bytes:
    try:
        kind, version, text = wrapped.split(":", 2)
        number = int(version.removeprefix("v"))
        box = base64.b64decode(text, validate=True)
        cipher = AESGCM(ring.accepted(kind, number))
        return cipher.decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], _place(merchant_id, number))
    except (InvalidTag, ValueError, KeyError):
        logger.error("a data key can't be unwrapped", wrapped_by=wrapped[:16])  # noqa: TRY400  # said
        raise DependencyUnavailableError from None


def _place(merchant_id: str, version: int) -> bytes:
    # NUL can be in no id: no two places run together.
    return f"data key\0{merchant_id}\0{version}".encode()
