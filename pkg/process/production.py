"""What production does not start with: every reason at once, and never a value."""

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from urllib.parse import parse_qs, unquote, urlsplit

from pkg.errors import DependencyUnavailableError
from pkg.process.production_database import Database, reasons_of

KEY_BYTES_MIN = 32
# Of 32 random bytes 30 are different on average, and fewer than 20 in one of 10^9 keys.
KEY_BYTES_DIFFERENT_MIN = 20
PASSWORD_LENGTH_MIN = 16
PASSWORD_CHARACTERS_DIFFERENT_MIN = 6
# Of random bytes three in eight are printable. All but three of 32 are in one of 10^9 keys.
KEY_BYTES_NOT_TEXT_MIN = 4

_HEX = re.compile(r"([0-9a-fA-F]{2})+\Z")
_WITH_TLS = {"require", "verify-ca", "verify-full"}


@dataclass(frozen=True, slots=True)
class Objection:
    """A setting, what is said against its value, and whether it has that value."""

    setting: str
    what: str
    is_so: bool


def too_much(setting: str, value: float, *, most: int) -> Objection:
    """Return what is said of a limit that is so high that nothing is limited."""
    return Objection(setting, f"must be {most:,} or less: it would limit nothing", value > most)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posture:
    """What matters of a process's settings.

    Attributes:
        refused: What the settings must not be, one entry each.
        keys: Secrets in hexadecimal digits, by the setting.
        databases: What the process works on, by the setting; their servers are asked too.
        database_timeout_seconds: How long it has to answer.
    """

    refused: Sequence[Objection]
    keys: Mapping[str, str] = field(repr=False)
    databases: Mapping[str, Database]
    database_timeout_seconds: float


def exit_code(posture: Posture, complain: Callable[[str], object]) -> int:
    """Return 0 if the process may start; else why not was said, one reason a line.

    2 is for what somebody has to change, 1 for a database that does not answer just now.
    """
    said = static_reasons(posture)
    away = ""
    try:
        said += asyncio.run(database_reasons(posture))
    except DependencyUnavailableError as problem:
        setting = problem.metadata["setting"]
        away = f"{setting}: the database does not answer, so nobody knows how it is set"
    for line in said or ([away] if away else []):
        complain(f"{line}\n")
    return 2 if said else int(bool(away))


def static_reasons(posture: Posture) -> list[str]:
    """Return what speaks against starting, as far as the settings tell."""
    return [
        *(f"{entry.setting}: {entry.what}" for entry in posture.refused if entry.is_so),
        *(f"{name}: {what}" for name, key in posture.keys.items() for what in _of_key(key)),
        *_used_twice(posture.keys),
        *(
            f"{name}: {what}"
            for name, database in posture.databases.items()
            for what in _of_url(database.url)
        ),
    ]


async def database_reasons(posture: Posture) -> list[str]:
    """Return what speaks against starting, as the servers have it for these users and databases.

    Raises:
        DependencyUnavailableError: One does not answer; `metadata` has its setting.
    """
    said = []
    for name, database in posture.databases.items():
        try:
            reasons = await reasons_of(database, timeout_seconds=posture.database_timeout_seconds)
        except DependencyUnavailableError:
            raise DependencyUnavailableError(setting=name) from None
        said += [f"{name}: {what}" for what in reasons]
    return said


def is_weak(password: str) -> bool:
    """Tell whether a password or token is short, or has a pattern."""
    different = PASSWORD_CHARACTERS_DIFFERENT_MIN
    short = len(password) < PASSWORD_LENGTH_MIN
    return short or is_guessable(password.encode(), different_min=different)


def is_guessable(secret: bytes, *, different_min: int) -> bool:
    """Tell whether a secret has a pattern: few bytes, or few steps from one to the next."""
    steps = {(after - before) % 256 for before, after in pairwise(secret)}
    return len(set(secret)) < different_min or len(steps) < different_min // 2


def is_written(key: str) -> bool:
    """Tell whether hexadecimal digits spell a text, or a number that others know, such as pi.

    Of 64 random digits all are decimal in one of 10^13 keys.
    """
    secret = bytes.fromhex(key)
    is_text = sum(not 0x20 <= byte < 0x7F for byte in secret) < KEY_BYTES_NOT_TEXT_MIN
    return is_text or key.isdecimal()


def _of_key(key: str) -> Iterator[str]:
    if not _HEX.match(key) or len(key) < 2 * KEY_BYTES_MIN:
        yield "must be 64 or more hexadecimal digits"
    elif is_guessable(bytes.fromhex(key), different_min=KEY_BYTES_DIFFERENT_MIN):
        yield "has a pattern: make it with `openssl rand -hex 32`"
    elif is_written(key):
        yield "is made of words or decimal digits: make it with `openssl rand -hex 32`"


def _used_twice(keys: Mapping[str, str]) -> Iterator[str]:
    first: dict[str, str] = {}
    for name, key in keys.items():
        if first.setdefault(key.lower(), name) != name:
            yield f"{name}: is the same as {first[key.lower()]}"


def _of_url(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
    except ValueError:
        yield "is no address"
        return
    hosts = [*parts.netloc.rpartition("@")[2].split(","), *query.get("host", [])]
    named = [unquote(host) for host in hosts if host]
    # Without a host the driver tries sockets, and then TCP.
    is_socket = bool(named) and all(host.startswith("/") for host in named)
    if not is_socket and query.get("sslmode", [""])[-1] not in _WITH_TLS:
        yield "the database may be spoken to in plain text: add sslmode=verify-full"
    passwords = [unquote(parts.password or ""), *query.get("password", [])]
    if any(map(is_weak, filter(None, passwords))):
        yield "its password is short or has a pattern: take 16 random characters or more"
