"""`paygate reset`, as `make reset` in a clone."""

import typer

from tools.stack.commands import perform

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def reset() -> None:
    """Empty the data folder: all payments, keys and webhooks of the stopped gateway."""
    raise typer.Exit(perform("reset"))
