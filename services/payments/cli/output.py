"""What the command prints: results to standard output, everything else to standard error."""

import io
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from pkg.observe import log_stream

# Exit codes: the gateway has refused; the command line or a setting is wrong; nobody answers, or
# what became of it is not known.
REFUSED, WRONG, NO_ANSWER = 1, 2, 3

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]

_RED, _GREEN, _YELLOW = 31, 32, 33
_COLOURS = {
    **dict.fromkeys(("declined", "failed", "revoked", "disabled", "no"), _RED),
    **dict.fromkeys(("authorized", "captured", "succeeded", "delivered", "live", "yes"), _GREEN),
    **dict.fromkeys(("pending", "under_way"), _YELLOW),
}


def prepare() -> None:
    """Let nothing that can't be written end a command, but for a result on a full disk.

    Without a place for results nothing is begun.
    """
    if sys.stderr is None:  # closed by whoever has started it, as the other may be
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - for good
    log_stream.install()
    if sys.stdout is None:
        complain("standard output is closed, and there is no other place for results.")
        sys.exit(WRONG)
    if isinstance(sys.stdout, io.TextIOWrapper):  # what a terminal has no letter for is escaped
        sys.stdout.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Print a result; end the command if that can't be done, as one whose result is not known.

    Whoever prints what is shown once has said before what it is of.
    """
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError as problem:
        # What is still to be written would fail once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(problem, BrokenPipeError):  # then nobody wants more
            complain(f"the result can't be written: {problem.strerror}.")
        raise typer.Exit(NO_ANSWER) from None


def note(text: str) -> None:
    """Tell something that is no result."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def complain(sentence: str) -> None:
    """Say what is wrong."""
    note(f"paygate: {sentence}")


def end(sentence: str, code: int) -> typer.Exit:
    """Say what is wrong; raise what is returned to end the command."""
    complain(sentence)
    return typer.Exit(code)


def as_json_lines(objects: Iterable[Mapping[str, Any]]) -> None:
    """Print each object on a line of its own."""
    for one in objects:
        say(json.dumps(one))


def as_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns, which are never cut; in colour on a terminal, unless NO_COLOR is set.

    What a terminal would take for a command is replaced: some of the text comes from others.
    """
    lines = [heads, *([_printable(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    is_coloured = _is_coloured()
    for line in lines:
        cells = (text.ljust(width) for text, width in zip(line, widths, strict=True))
        say("  ".join(map(_coloured, cells) if is_coloured else cells).rstrip())


def as_row(cells: Iterable[str]) -> None:
    """Print a row of a table that nobody knows the end of."""
    say("  ".join(map(_printable, cells)))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def _is_coloured() -> bool:
    unwanted = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not unwanted


def _coloured(cell: str) -> str:
    colour = _COLOURS.get(cell.strip())
    return f"\033[{colour}m{cell}\033[0m" if colour else cell
