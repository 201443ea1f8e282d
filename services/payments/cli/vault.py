"""`paygate vault …`: the key that wraps the data keys of cards."""

import typer

from paygate.admin.v1 import admin_service_pb2 as pb
from services.payments.cli.access import Admin
from services.payments.cli.output import Json, note, say
from services.payments.cli.progress import progress
from services.payments.cli.replies import as_json

app = typer.Typer(no_args_is_help=True, help="Rotate the vault's master key.")


@app.command()
def rotate(*, json: Json = False) -> None:
    """Make a new version of the key, and wrap all data keys anew. Safe to repeat."""
    admin, total = Admin(), 0
    version = admin.ask(pb.RotateVaultKeyRequest()).version
    note(f"Version {version} wraps from now on.")
    with progress("Wrapping data keys anew") as show:
        while True:
            step = admin.ask(pb.RewrapDataKeysRequest())
            total += step.rewrapped
            if not step.remaining:
                break
            show(total, total + step.remaining)
    step.rewrapped = total
    if json:
        as_json(step)
    else:
        say(f"version {version}: {total} data keys were wrapped anew, none is left")


@app.command("refuse-old")
def refuse_old(*, json: Json = False) -> None:
    """Refuse what older versions have wrapped; a minute after the rotation at the earliest."""
    reply = Admin().ask(pb.RefuseOldVaultKeysRequest())
    if json:
        as_json(reply)
    else:
        say(f"only version {reply.version} is accepted from now on")
