"""What commands have in common: how amounts, times and words are written."""

import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, TypeVar

import typer
from typer.models import ArgumentInfo, OptionInfo

from paygate_client import Money
from paygate_client._sending import VISIBLE
from paygate_client.enums import OpenEnum
from services.payments.cli.output import WRONG, end

Word = TypeVar("Word", bound=OpenEnum)
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]

_LENGTH = re.compile(
    r"(?:(?P<days>\d{1,4})d)?(?:(?P<hours>\d{1,5})h)?(?:(?P<minutes>\d{1,6})m)?"
    r"(?:(?P<seconds>\d{1,8}(?:\.\d{1,6})?)s)?",
    re.ASCII,
)


def amount(text: str) -> Money:
    """Read an amount: "10.00 GBP", "1000 JPY", "10.000 KWD".

    Raises:
        typer.BadParameter: It is written differently, or has more decimals than its currency.
    """
    try:
        return Money.parse(text)
    except ValueError as problem:
        raise typer.BadParameter(str(problem)) from None


def length(text: str) -> timedelta:
    """Read a length of time: "8d", "1d12h", "90m", "2.5s".

    Raises:
        typer.BadParameter: It is written differently, or is nothing.
    """
    found = _LENGTH.fullmatch(text)
    if not found or not text:
        raise typer.BadParameter("a length of time is written like 8d, 1d12h, 90m or 2.5s")
    return timedelta(**{unit: float(count) for unit, count in found.groupdict("0").items()})


def time(text: str) -> datetime:
    """Read a time with its zone, in ISO 8601.

    Raises:
        typer.BadParameter: It is written differently, or has no zone.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise typer.BadParameter("a time is written with its zone, like 2026-11-28T10:00:00Z")
    return read


def one_of(words: type[Word]) -> Callable[[str], Word]:
    """Return what reads one of some words, in lower case and with hyphens: `partially-captured`."""
    names = {name.lower().replace("_", "-"): word for name, word in words.__members__.items()}

    def read(text: str) -> Word:
        found = names.get(text.lower().replace("_", "-"))
        if found is None:
            raise typer.BadParameter(f"is one of {', '.join(names)}")
        return found

    return read


def word_option(words: type[Word], help: str, metavar: str) -> OptionInfo:  # noqa: A002 -- typer's own word
    """Return an option that is one of some words, which the shell completes."""

    def complete(incomplete: str) -> list[str]:
        names = [name.lower().replace("_", "-") for name in words.__members__]
        return [name for name in names if name.startswith(incomplete)]

    found: OptionInfo = typer.Option(
        help=help, parser=one_of(words), autocompletion=complete, metavar=metavar
    )
    return found


def confirmed(question: str, *, yes: bool) -> None:
    """Ask before something is removed for good, unless that was said; without a yes, end."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise end("it removes what is there for good: say --yes.", WRONG)
    typer.confirm(question, abort=True, err=True)


def listed(text: str) -> list[str]:
    """Read words with commas between them."""
    return [one.strip() for one in text.split(",") if one.strip()]


def _id(text: str) -> str:
    if text in {"", ".", ".."}:
        raise typer.BadParameter("an id is neither empty nor dots")
    return text


def _key(text: str) -> str:
    if not VISIBLE.fullmatch(text):
        raise typer.BadParameter("has 1 to 255 visible ASCII characters")
    return text


def id_of(help: str) -> ArgumentInfo:  # noqa: A002 -- typer's own word
    """Return an argument that is an id."""
    found: ArgumentInfo = typer.Argument(help=help, parser=_id, metavar="ID", show_default=False)
    return found


Amount = Annotated[
    Money,
    typer.Option(
        "--amount", help='Such as "10.00 GBP".', parser=amount, metavar="AMOUNT", show_default=False
    ),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--idempotency-key",
        help="Your own: the same call with it again has one effect. A random one if missing.",
        parser=_key,
        metavar="KEY",
    ),
]
Reference = Annotated[str, typer.Option(help="Your own, of at most 255 characters.")]
Limit = Annotated[int, typer.Option(min=0, help="At most so many; 0 for all.")]
Since = Annotated[
    datetime | None,
    typer.Option("--after", help="Made at this time or later.", parser=time, metavar="TIME"),
]
Until = Annotated[
    datetime | None,
    typer.Option("--before", help="Made before this time.", parser=time, metavar="TIME"),
]
PaymentId = Annotated[str, id_of("The payment's id: pay_…")]
EventId = Annotated[str, id_of("The event's id: evt_…")]
EndpointId = Annotated[str, id_of("The endpoint's id: we_…")]
