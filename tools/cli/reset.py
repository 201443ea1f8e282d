"""`paygate reset`, as `make reset` in a clone."""

import os
import sys
from typing import Annotated

import typer

from pkg.process.data_folder import data_dir
from services.payments.cli.output import WRONG, end
from tools.stack.commands import perform

app = typer.Typer()


@app.command()
def reset(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Empty the data folder: all payments, keys and webhooks of the stopped gateway."""
    if not yes:
        if not sys.stdin.isatty():
            raise end("it removes all that there is: say --yes.", WRONG)
        typer.confirm(f"Remove all that is in {data_dir(os.environ)}?", abort=True, err=True)
    raise typer.Exit(perform("reset"))
