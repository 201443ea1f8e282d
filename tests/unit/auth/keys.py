"""Keys in memory, a clock that tests turn, and how a key is made."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from pkg.errors import DependencyUnavailableError
from pkg.grpc.auth import KeyDigest, KeyRecord, new_api_key
from pkg.grpc.scopes import FULL_ACCESS
from pkg.secret import Secret

DIGEST = KeyDigest(Secret("ab" * 32))


@dataclass
class Keys:
    """Keys in memory, and how often they were asked for."""

    records: dict[str, KeyRecord] = field(default_factory=dict)
    asked: int = 0
    is_away: bool = False

    async def find_key(self, key_id: str) -> KeyRecord | None:
        """Return the key with that id, in a later turn of the loop, as a database does."""
        self.asked += 1
        await asyncio.sleep(0)
        if self.is_away:
            raise DependencyUnavailableError
        return self.records.get(key_id)


@dataclass
class Watch:
    """A monotonic clock that tests turn."""

    seconds: float = 0.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.seconds


def add_key(keys: Keys, **fields: Any) -> str:
    """Make a key of merchant `mer_a`."""
    key_id, key = new_api_key()
    keys.records[key_id] = record(key, **fields)
    return key


def record(key: str, **fields: Any) -> KeyRecord:
    """Return what is stored of a key of merchant `mer_a`."""
    return KeyRecord(
        merchant_id="mer_a", digest=DIGEST.of(key), **{"scopes": FULL_ACCESS, **fields}
    )
