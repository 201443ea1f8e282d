"""Figures for people and for later comparison."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Results = Mapping[str, Mapping[str, Any]]  # scene → case → summary

# Of a table.
HEAD = ("", "calls/s", "(low–high)", "p50", "p99", "p99.9 ms", "CPU µs per call")


def table(cases: Mapping[str, Any]) -> str:
    """Return one scene as lines of a terminal."""
    rows = [HEAD, *(_row(name, case) for name, case in cases.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column in {0, 6} else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def markdown(file: Path) -> str:
    """Return a report as tables for a document."""
    parts = []
    for scene, cases in json.loads(file.read_text())["results"].items():
        rows = [HEAD, ("---",) * len(HEAD), *(_row(name, case) for name, case in cases.items())]
        parts.append(f"### {scene}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in rows))
    return "\n\n".join(parts)


def write(path: Path, results: Results, facts: Mapping[str, Any]) -> None:
    """Write everything for a later comparison."""
    path.write_text(json.dumps({"facts": facts, "results": results}, indent=1))


def compare(before: Path, after: Path) -> str:
    """Return what changed between two reports, case by case: after ÷ before."""
    old, new = (json.loads(path.read_text())["results"] for path in (before, after))
    lines = [("", "calls/s", "ratio", "p50", "p99", "CPU")]
    for scene, cases in new.items():
        for name, case in cases.items():
            was = old.get(scene, {}).get(name)
            if was is None:
                continue
            cpu, cpu_was = (sum(_servers(one).values()) for one in (case, was))
            ratios = [case[key] / was[key] for key in ("rate", "p50", "p99")] + [cpu / cpu_was]
            apart = case["low"] > was["high"] or case["high"] < was["low"]
            lines.append(
                (
                    name,
                    f"{was['rate']:,.0f} → {case['rate']:,.0f}",
                    f"{ratios[0]:.2f}{'' if apart else ' (within spread)'}",
                    *(f"{ratio:.2f}" for ratio in ratios[1:]),
                )
            )
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _servers(case: Mapping[str, Any]) -> dict[str, float]:
    return {name: used for name, used in case["cpu"].items() if name != "driver"}


def _row(name: str, case: Mapping[str, Any]) -> tuple[str, ...]:
    cpu = ", ".join(f"{process} {used:.0f}" for process, used in case["cpu"].items())
    return (
        name,
        f"{case['rate']:,.0f}",
        f"{case['low']:,.0f}–{case['high']:,.0f}",
        *(f"{case[key]:.1f}" for key in ("p50", "p99", "p999")),
        cpu,
    )
