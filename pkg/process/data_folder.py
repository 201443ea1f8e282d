"""Where `make run` keeps its data, for itself and for the operator's command."""

import os
from collections.abc import Mapping
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# As root, programs run as other users, which often may not enter the clone (under /root).
DATA_DIR_OF_ROOT = Path("/var/lib/paygate")
# How the operator's process is reached, as assignments; there only while it serves.
ADMIN_ENV = "admin.env"


def data_dir(environment: Mapping[str, str]) -> Path:
    """Return the folder that an environment means, as an absolute path."""
    chosen = environment.get("PAYGATE_DATA_DIR", "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return DATA_DIR_OF_ROOT if os.geteuid() == 0 else REPOSITORY / ".paygate"
