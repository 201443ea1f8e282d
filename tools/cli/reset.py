"""`paygate reset`, as `make reset` in a clone."""

import typer

from tools.stack.commands import perform

app = typer.Typer()


@app.command()
def reset() -> None:
    """Empty the data folder: all payments, keys and webhooks of the stopped gateway."""
    raise typer.Exit(perform("reset"))
