"""`paygate run`, as `make run` in a clone."""

import os
import signal
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def run(
    port: Annotated[
        int | None, typer.Option(help="Where clients connect: 8080.", show_default=False)
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Keeps everything that outlives a run.", show_default=False)
    ] = None,
) -> None:
    """Start everything on this machine and keep it running: Ctrl-C stops it, the data stays.

    PAYGATE_PORT and PAYGATE_DATA_DIR say the same as the options; PAYGATE_WORKERS is how many
    processes take payments. The data folder is said when it starts.
    """
    # Nothing has been started yet, and so nothing is to be ended in good order.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for name, chosen in (("PAYGATE_PORT", port), ("PAYGATE_DATA_DIR", data_dir)):
        if chosen is not None:
            os.environ[name] = str(chosen)
    from tools.stack.commands import perform  # noqa: PLC0415 - may take Ctrl-C from here on

    raise typer.Exit(perform("run"))
