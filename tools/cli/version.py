"""Which paygate this is."""

import tomllib
from importlib import metadata

from pkg.process.called import INSTALLED, ROOT

PACKAGE = "paygate-sandbox"


def version() -> str:
    """Return the version of the package that was installed, or of this clone."""
    if INSTALLED:
        return metadata.version(PACKAGE)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])
