"""`python -m bench`: measures the gateway beside its peers; see docs/performance.md.

`python -m bench compare a.json b.json` says what changed between two reports, and
`python -m bench show a.json` prints one as tables for a document.
"""

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from bench import report, tools
from bench.driven import BrokenRunError
from bench.measure import Sample, summary
from bench.scenes import SCENES, Plan, Scene, quick
from bench.server import serving

ROUNDS, SECONDS, WARM_SECONDS = 5, 8.0, 3.0
POOL, PAYMENTS = 2_000, 1_000_000


async def run(arguments: argparse.Namespace, facts: dict[str, object]) -> dict[str, dict[str, Any]]:
    """Run the scenes one after the other, and print each as it is done."""
    results: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory(prefix="paygate-bench-") as folder:
        for name, scene in chosen(arguments).items():
            async with AsyncExitStack() as stack:
                plan = Plan(
                    server=await stack.enter_async_context(serving()),
                    folder=Path(folder),
                    pool=arguments.pool,
                    payments=arguments.payments,
                    writes=arguments.writes,
                    facts=facts,
                )
                cases = await stack.enter_async_context(scene(plan))
                for case in () if arguments.quick else cases:
                    await case.run(min(WARM_SECONDS, arguments.seconds))
                samples: dict[str, list[Sample]] = {case.name: [] for case in cases}
                for _ in range(arguments.rounds):
                    for case in cases:
                        samples[case.name].append(await case.run(arguments.seconds))
            results[name] = {case: summary(runs) for case, runs in samples.items()}
            print(f"\n{name}\n{report.table(results[name])}", flush=True)
            if arguments.json:
                report.write(arguments.json, results, facts)
    return results


def chosen(arguments: argparse.Namespace) -> dict[str, Scene]:
    """Return the scenes that were asked for."""
    if arguments.quick:
        return {"quick": quick}
    return {name: scene for name, scene in SCENES.items() if name in (arguments.only or SCENES)}


def parsed(words: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short scene: shows that it runs")
    parser.add_argument("--only", nargs="+", choices=SCENES, help="these scenes")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each run")
    parser.add_argument("--pool", type=int, default=POOL, help="payments to work on")
    parser.add_argument("--payments", type=int, default=PAYMENTS, help="in the large database")
    parser.add_argument("--writes", type=int, default=0, help="authorizations written to it first")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    arguments = parser.parse_args(words)
    if arguments.quick:
        quickly = {"rounds": 1, "seconds": 1.0, "pool": 50, "payments": 2_000, "writes": 1}
        for name, value in quickly.items():
            setattr(arguments, name, value)
    return arguments


def main() -> int:
    """Do what the command line says."""
    reports = [Path(name) for name in sys.argv[2:]]
    match sys.argv[1:2], reports:
        case ["compare"], [before, after]:
            print(report.compare(before, after))
            return 0
        case ["show"], [file]:
            print(report.markdown(file))
            return 0
        case _:
            arguments = parsed(sys.argv[1:])
    try:
        tools.check_installed()
        asyncio.run(run(arguments, {"cores": os.cpu_count(), "machine": platform.platform()}))
    except BrokenRunError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
