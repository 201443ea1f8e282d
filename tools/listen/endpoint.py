"""The endpoint of a listener, and its secret, which is told once and kept on this machine."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from paygate_client import AsyncPaygate

URL = "https://listener.paygate.test/"


@dataclass(frozen=True)
class Endpoint:
    """An endpoint for listeners. `is_new`: the secret is one that nobody has seen yet."""

    id: str
    secret: str
    is_new: bool


class Secrets:
    """Secrets of endpoints, by their ids, in a file that only its owner reads.

    Args:
        environment: `XDG_STATE_HOME` says where such files are, if it is set.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        home = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        self._path = Path(home) / "paygate" / "listeners.json"

    def get(self, endpoint_id: str) -> str:
        """Return a secret; the empty text for one that is not there."""
        return self._read().get(endpoint_id, "")

    def keep(self, endpoint_id: str, secret: str) -> None:
        """Keep a secret."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = json.dumps({**self._read(), endpoint_id: secret}, indent=2)
        beside = self._path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        beside.replace(self._path)

    def _read(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._path.read_text())
        except (OSError, ValueError):
            return {}
        return found


async def endpoint_of(
    api: AsyncPaygate, name: str, event_types: Sequence[str], secrets: Secrets
) -> Endpoint:
    """Return the listener's endpoint with its secret; make what there is not.

    Raises:
        PaygateError: The gateway has refused, or cannot be reached.
    """
    url = URL + name
    async for found in api.endpoints.list():
        if found.url == url:
            break
    else:
        made = await api.endpoints.create(
            url, event_types=event_types, description="paygate listen"
        )
        secrets.keep(made.endpoint.id, made.secret)
        return Endpoint(made.endpoint.id, made.secret, is_new=True)
    if sorted(found.event_types) != sorted(event_types):
        await api.endpoints.update(found.id, event_types=event_types)
    if secret := secrets.get(found.id):
        return Endpoint(found.id, secret, is_new=False)
    rotated = await api.endpoints.rotate_secret(found.id)
    secrets.keep(found.id, rotated.secret)
    return Endpoint(found.id, rotated.secret, is_new=True)
