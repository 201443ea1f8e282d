"""The paygate sandbox, installed as a package: the command `paygate`.

`tree` holds what a clone holds, as data. Only the process of the command, and those that it starts,
find packages in there: whoever imports this package gets no other name with it.
"""

import runpy
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parent / "tree"


def main() -> None:
    """Do what the command line says, and end."""
    sys.path[:0] = [str(TREE / path) for path in (".", "build/python", "clients/python")]
    runpy.run_module("tools.cli", run_name="__main__", alter_sys=True)
