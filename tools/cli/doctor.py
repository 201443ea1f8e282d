"""`paygate doctor`: whether the gateway can start here, and what to do if not."""

import json
import os
from dataclasses import asdict
from typing import Annotated

import typer

from services.payments.cli.output import say
from tools.stack import settings
from tools.stack.checks import Finding, Level, look
from tools.stack.errors import StackError
from tools.stack.screen import complain

WRONG = 1
NAME_WIDTH = 20

app = typer.Typer()


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object per look.")] = False,
) -> None:
    """Look at Python, platform, packages, ports, disk, permissions and what a killed run left.

    For each: how it is, and what to do. It changes nothing. The exit code is 1 if the gateway can't
    start so.
    """
    try:
        chosen = settings.load(os.environ)
    except StackError as error:
        complain(str(error))
        raise typer.Exit(WRONG) from None
    wrong = False
    for found in look(chosen):
        wrong |= found.level is Level.WRONG
        say(json.dumps(asdict(found)) if as_json else _as_text(found))
    raise typer.Exit(WRONG if wrong else 0)


def _as_text(found: Finding) -> str:
    line = f"{found.level:<5}  {found.what:<{NAME_WIDTH}}{found.text}"
    return f"{line}\n{'':7}{'':{NAME_WIDTH}}-> {found.todo}" if found.todo else line
