"""`python -m tests.proofs.render`: puts the results in `proofs/` into the table of the page.

A row of a proof that has not run here stays as it is.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.proofs import record
from tools.stack.settings import REPOSITORY

PAGE = REPOSITORY / "docs" / "reliability.md"
Figures = Mapping[str, Any]


def _soak(found: Figures) -> str:
    trends = {one["what"]: one for one in found["trends"]}
    memory = max(one["growth"] for what, one in trends.items() if what.endswith(" memory"))
    grown = ", ".join(found["grown"]) or "nothing"
    return (
        f"{found['minutes']:.0f} minutes, {found['calls']:,} calls,"
        f" {found['sandboxes']:,} sandboxes made and removed."
        f" Memory of any process at most {memory:+.1%}."
        f" Grown beyond its bound: {grown}. Errors: {found['errors']}."
        f" Books: {found['books']}."
    )


def _kills(found: Figures) -> str:
    return (
        f"{found['killed']:,} of 1,000 kills, {found['acknowledged']:,} of 200,000 acknowledged"
        " operations. Lost: 0. Done twice: 0."
    )


def _bank(found: Figures) -> str:
    return (
        f"{found['operations']:,} of 50,000 operations, {found['outages']} outages."
        f" In doubt: {found['in_doubt']:,}, for {found['longest_doubt_seconds']} s at most while"
        f" the bank was up, {found['longest_after_healing_seconds']} s at most after it was back."
    )


def _histories(found: Figures) -> str:
    return (
        f"{found['histories']:,} of 10,000 histories, {found['calls']:,} calls,"
        f" {found['killed']} kills. Without an order: {found['without_order']}."
        f" Faults found: {found['faults_found']:,} of {found['faults_seeded']:,}."
    )


def _relays(found: Figures) -> str:
    return (
        f"{found['killed']} of 200 kills, {found['events']:,} of 100,000 events,"
        f" posted {found['posted']:,} times. Missing: 0. Out of order: 0."
    )


def _overload(found: Figures) -> str:
    return " ".join(
        f"With too few {words}: peak {one['peak_rate']:,} payments/s, offered"
        f" {one['offered_rate']:,}, carried out {one['goodput']:,} ({one['goodput_share']:.0%} of"
        f" the peak); 99 of 100 refusals within {one['refusal_p99_ms']:,.0f} ms."
        for words, one in (
            ("places", found["places"]),
            ("processors", found["processor"]),
        )
    )


def _rotation(found: Figures) -> str:
    return (
        f"{found['cards']:,} cards, {found['data_keys']:,} data keys wrapped anew in"
        f" {found['seconds']} s, {found['charged_meanwhile']:,} old cards charged meanwhile."
        f" Failed calls: {found['failed_calls']}. Cards that open: {found.get('opened', 0):,}."
    )


SAYS: Mapping[str, Callable[[Figures], str]] = {
    "kills": _kills,
    "bank": _bank,
    "histories": _histories,
    "relays": _relays,
    "overload": _overload,
    "rotation": _rotation,
    "soak": _soak,
}


def row(result: Mapping[str, Any]) -> str:
    """Return one result as a line of the table."""
    name, figures = result["proof"], result["figures"]
    said = figures.get("failure") or SAYS[name](figures)
    said = said if result["ok"] else f"**Failed.** {said}"
    when = f"{result['date']}, {result['minutes']:.0f} min, `{result['commit']}`"
    return f"| `make proof-{name}` | {' '.join(said.split()).replace('|', '/')} | {when} |"


def rendered(page: str, results: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page with these results in its table."""
    lines = page.split("\n")
    for number, line in enumerate(lines):
        for name, result in results.items():
            if line.startswith(f"| `make proof-{name}` |"):
                lines[number] = row(result)
    return "\n".join(lines)


def main() -> int:
    """Do it, for the results of these files or of the folder; return the exit code."""
    files = [Path(name) for name in sys.argv[1:]] or sorted(record.FOLDER.glob("*.json"))
    results = [json.loads(file.read_text()) for file in files]
    by_name = {one["proof"]: one for one in results}
    PAGE.write_text(rendered(PAGE.read_text(), by_name))
    for one in results:
        print(row(one))
    return 0


if __name__ == "__main__":
    sys.exit(main())
