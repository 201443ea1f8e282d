"""`python -m tools.openapi`: writes build/openapi.json and a collection of its examples."""

import argparse
import sys
from pathlib import Path
from typing import Final

from tools.openapi.api import UnsupportedError, read_api
from tools.openapi.collection import collection_of, environment
from tools.openapi.document import document_of, printed

DESCRIPTORS: Final = Path("build/paygate.binpb")
OUTPUT: Final = Path("build")


def main() -> int:
    """Write the files; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.openapi", description=__doc__)
    parser.add_argument("--descriptors", type=Path, default=DESCRIPTORS, metavar="FILE")
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FOLDER")
    arguments = parser.parse_args()
    try:
        api = read_api(arguments.descriptors)
        files = {
            "openapi.json": document_of(api),
            "postman_collection.json": collection_of(api),
            "postman_environment.json": environment(),
        }
    except UnsupportedError as problem:
        print(problem, file=sys.stderr)
        return 1
    for name, told in files.items():
        (arguments.output / name).write_text(printed(told), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
