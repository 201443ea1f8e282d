"""`paygate ready`, as `make ready` in a clone."""

from typing import Annotated

import typer

from tools.stack.commands import READY_SECONDS_MAX, perform

app = typer.Typer()


@app.command()
def ready(
    timeout: Annotated[
        float, typer.Option(min=0.0, help="How many seconds to wait at most.")
    ] = READY_SECONDS_MAX,
) -> None:
    """Wait until the gateway serves, and print the path of its demo.env.

    A shell reads address and key from it: `set -a; source "$(paygate ready)"; set +a`.
    """
    raise typer.Exit(perform("ready", timeout=timeout))
