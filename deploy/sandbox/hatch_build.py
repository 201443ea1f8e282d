"""What the wheel asks for: the packages of the services and of the local stack, as the clone does.

A range up to the next major version, and not the pins of the lock file: the wheel is also installed
beside the tests of others. What must be one exact version in the clone is so here.
"""

import re
import tomllib
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_AT_LEAST = re.compile(r"(?P<name>[A-Za-z0-9-]+)>=(?P<major>\d+)[.\d]*\Z")


class Asked(MetadataHookInterface):
    """Gives the wheel the version and the dependencies of the clone."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Write them into the project's metadata."""
        clone = tomllib.loads(Path(self.root, "..", "..", "pyproject.toml").read_text())
        wanted = [*clone["project"]["dependencies"], *clone["dependency-groups"]["local"]]
        metadata["version"] = clone["project"]["version"]
        metadata["dependencies"] = sorted(map(below_the_next_major, wanted))


def below_the_next_major(requirement: str) -> str:
    """Return a requirement that is open to the top with an end."""
    found = _AT_LEAST.match(requirement)
    return f"{requirement},<{int(found['major']) + 1}" if found else requirement
