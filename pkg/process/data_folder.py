"""Where the local stack keeps its data, for itself and for the commands."""

import os
from collections.abc import Mapping
from pathlib import Path

from pkg.process.called import INSTALLED, ROOT

# As root, programs run as other users, which often may not enter the clone (under /root).
DATA_DIR_OF_ROOT = Path("/var/lib/paygate")
# How the operator's process is reached, as assignments; there only while it serves.
ADMIN_ENV = "admin.env"


def data_dir(environment: Mapping[str, str]) -> Path:
    """Return the folder that an environment means, as an absolute path."""
    chosen = environment.get("PAYGATE_DATA_DIR", "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return DATA_DIR_OF_ROOT
    return _of_user(environment) if INSTALLED else ROOT / ".paygate"


def told(file: Path) -> Mapping[str, str]:
    """Return the assignments of a file that whoever serves has left; none if nobody serves."""
    try:
        lines = file.read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)


def _of_user(environment: Mapping[str, str]) -> Path:
    """Return the folder of an installed paygate: the state of a user's programs (XDG).

    Not beside the keyring, which is in their data.
    """
    home = environment.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(home, "paygate", "sandbox").absolute()
