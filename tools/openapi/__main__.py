"""`python -m tools.openapi`: writes build/openapi.json, made of build/paygate.binpb."""

import argparse
import sys
from pathlib import Path
from typing import Final

from tools.openapi.api import UnsupportedError, read_api
from tools.openapi.document import document_of, printed

DESCRIPTORS: Final = Path("build/paygate.binpb")
OUTPUT: Final = Path("build/openapi.json")


def main() -> int:
    """Write the document; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.openapi", description=__doc__)
    parser.add_argument("--descriptors", type=Path, default=DESCRIPTORS, metavar="FILE")
    parser.add_argument("--output", type=Path, default=OUTPUT, metavar="FILE")
    arguments = parser.parse_args()
    try:
        document = document_of(read_api(arguments.descriptors))
    except UnsupportedError as problem:
        print(problem, file=sys.stderr)
        return 1
    arguments.output.write_text(printed(document), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
