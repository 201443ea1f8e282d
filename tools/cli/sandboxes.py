"""`paygate sandboxes …`: merchants for one test each."""

from datetime import datetime, timedelta
from typing import Annotated

import typer

from paygate_client import _sandboxes_requests as calls
from services.payments.cli.output import Json, as_json_lines, note, say
from tools.cli.access import gateway as opened
from tools.cli.columns import Column, show, text, when
from tools.cli.options import Key, Limit, id_of, length, time

app = typer.Typer(no_args_is_help=True, help="Make sandboxes: merchants for one test each.")

SANDBOXES: tuple[Column, ...] = (
    ("ID", text("id")),
    ("MADE", lambda one: when(one["create_time"])),
    ("ENDS", lambda one: when(one["expire_time"])),
    ("NAME", text("name")),
)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="For people.", show_default=False)],
    time_to_live: Annotated[
        timedelta | None,
        typer.Option(
            "--for",
            help="After how long it goes by itself, such as 2h; a day if missing, 7d at most.",
            parser=length,
            metavar="LENGTH",
        ),
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option(
            help="What its clock says at first; the real time if missing.",
            parser=time,
            metavar="TIME",
        ),
    ] = None,
    key: Key = None,
    *,
    json: Json = False,
) -> None:
    """Make a sandbox, and print its API key: it is shown this once."""
    call = calls.create_sandbox(name, time_to_live=time_to_live, start_time=start)
    with opened() as api:
        reply = api.send(call, key)
    sandbox = reply["sandbox"]
    note(f"The API key of {sandbox['id']}, which ends at {when(sandbox['expire_time'])}.")
    if json:
        as_json_lines([reply])
    else:
        say(reply["api_key"])


@app.command("list")
def list_(limit: Limit = 20, *, json: Json = False) -> None:
    """List the sandboxes that have not ended, the newest first."""
    with opened() as api:
        show(api.each("sandboxes", calls.list_sandboxes), SANDBOXES, json=json, limit=limit)


@app.command()
def delete(sandbox_id: Annotated[str, id_of("The sandbox's id: mer_…")]) -> None:
    """End a sandbox: its key works no more, and all that it has is removed."""
    with opened() as api:
        api.send(calls.delete_sandbox(sandbox_id))
    note(f"The sandbox {sandbox_id} has ended.")
