"""From the API's JSON to what people read in a table."""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from paygate_client import Money
from services.payments.cli.output import as_json_lines, as_row, as_table, note
from services.payments.cli.progress import progress
from tools.cli.gateway import Json

# A column's head, and what is in it.
Column = tuple[str, Callable[[Json], str]]


def money(said: Json) -> str:
    """Return an amount in its main unit: `10.00 GBP`."""
    return str(Money(int(said["minor_units"]), said["currency"]))


def word(text: str) -> str:
    """Return an enum's value without its prefix: `STATUS_VOIDED` is `voided`."""
    return text.partition("_")[2].lower() or "-"


def when(text: str | None) -> str:
    """Return a time in UTC, as the API writes it, to the second; `-` for none."""
    return f"{text[:19].replace('T', ' ')}Z" if text else "-"


def card(said: Json | None) -> str:
    """Return a card's network and last digits."""
    return f"{word(said['brand'])} {said['last4']}" if said else "-"


def text(name: str) -> Callable[[Json], str]:
    """Return what shows a field as it is; `-` for nothing."""
    return lambda said: str(said.get(name) or "-")


def count(name: str) -> Callable[[Json], str]:
    """Return what shows a number; 0 for nothing."""
    return lambda said: str(said.get(name, 0))


def show(items: Iterable[Json], columns: Sequence[Column], *, json: bool, limit: int = 0) -> None:
    """Print items of a list: a line of JSON each, or a row of a table.

    Args:
        items: As the API has them; no more of them are read than is needed.
        columns: Of the table.
        json: Whether programs read it.
        limit: At most so many are printed, and a note says that there are more; 0 for all.
    """
    shown = _limited(iter(items), limit) if limit else _counted(items)
    if json:
        as_json_lines(shown)
    else:
        rows = [[cell(one) for _, cell in columns] for one in shown]
        as_table([head for head, _ in columns], rows)


def show_one(one: Json, columns: Sequence[Column], *, json: bool) -> None:
    """Print what has just come: a line of JSON, or a row under no head."""
    if json:
        as_json_lines([one])
    else:
        as_row(cell(one) for _, cell in columns)


def _limited(items: Iterator[Json], limit: int) -> Iterator[Json]:
    yield from islice(items, limit)
    if next(items, None) is not None:
        note(f"There are more than {limit}: --limit says how many to show, 0 for all.")


def _counted(items: Iterable[Json]) -> Iterator[Json]:
    """Yield all, which may be many: where they go to a file, people see how many there are."""
    if isinstance(items, Sequence) or sys.stdout.isatty():
        yield from items
        return
    with progress("Reading") as shown:
        for number, one in enumerate(items, 1):
            yield one
            shown(number)
