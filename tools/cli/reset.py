"""`paygate reset`, as `make reset` in a clone."""

import os

import typer

from pkg.process.data_folder import data_dir
from tools.cli.options import Yes, confirmed
from tools.stack.commands import perform

app = typer.Typer()


@app.command()
def reset(*, yes: Yes = False) -> None:
    """Empty the data folder: all payments, keys and webhooks of the stopped gateway."""
    confirmed(f"Remove all that is in {data_dir(os.environ)}?", yes=yes)
    raise typer.Exit(perform("reset"))
