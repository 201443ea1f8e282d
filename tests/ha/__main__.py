"""Kill and cut off three machines under load; see docs/high-availability.md."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.ha import sealed
from tests.ha.faults import SHORT, WHOLE, Plan
from tests.ha.report import Report
from tests.ha.trial import tried_out


def main() -> int:
    """Return 0 if every goal is met, 1 if one is missed, 2 if it can't be tried here."""
    arguments = _parser().parse_args()
    if not arguments.inside:
        reason = sealed.why_not()
        if reason:
            print(f"paygate: it can't be tried here: {reason}.", file=sys.stderr)
            return 2
        sealed.enter(sys.argv[1:])
    sealed.settle_in()
    logs = arguments.logs or Path(tempfile.mkdtemp(dir=sealed.ROOT))
    logs.mkdir(exist_ok=True)
    for old in logs.glob("*.log"):
        old.unlink()
    plan = SHORT if arguments.short else WHOLE
    plan = Plan(
        kills=plan.kills if arguments.kills is None else arguments.kills,
        cuts=plan.cuts if arguments.cuts is None else arguments.cuts,
        others=plan.others,
    )
    report: Report = asyncio.run(tried_out(plan, logs))
    print(report.text(), flush=True)
    if arguments.json:
        arguments.json.write_text(report.json())
    return int(bool(report.missed))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.ha", description=__doc__)
    parser.add_argument("--short", action="store_true", help="one kill and one cut")
    parser.add_argument("--kills", type=int, metavar="COUNT", help="of the leading PostgreSQL")
    parser.add_argument("--cuts", type=int, metavar="COUNT", help="of the leading machine")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what came of it there")
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="keep what processes print")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
