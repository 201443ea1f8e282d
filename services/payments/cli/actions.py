"""`paygate actions …`: what nobody knows the end of."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from paygate.admin.v1 import admin_service_pb2 as pb
from paygate.payments.v1 import payment_pb2
from services.payments.cli.access import Admin
from services.payments.cli.output import Json, as_table, note
from services.payments.cli.replies import as_json, when

app = typer.Typer(
    no_args_is_help=True, help="List and end actions that are in doubt for over an hour."
)


class End(StrEnum):
    """How an action can end."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"


@app.command("list")
def list_(*, json: Json = False) -> None:
    """List actions that are in doubt for over an hour, the oldest first."""
    found = Admin().ask_for_all(pb.ListStuckActionsRequest(page_size=100))
    if json:
        as_json(*found.actions)
    else:
        _table(found.actions)


@app.command()
def resolve(
    action_id: Annotated[str, typer.Argument(help="The action's id.", show_default=False)],
    end: Annotated[
        End,
        typer.Option(
            "--as", help="What became of it, as the bank has told you.", show_default=False
        ),
    ],
    *,
    json: Json = False,
) -> None:
    """End an action that is in doubt for over an hour, as the bank has told you that it ended.

    The bank is asked once more, and its answer counts if there is one.
    """
    resolution = pb.Resolution.Value(f"RESOLUTION_{end.name}")
    reply = Admin().ask(pb.ResolveActionRequest(id=action_id, resolution=resolution))
    if json:
        as_json(reply)
    else:
        _table([reply.action])
    note("It ends within seconds, as the bank says or else so: look at the payment's history.")


def _table(actions: Sequence[pb.StuckAction]) -> None:
    rows = [
        (
            action.id,
            payment_pb2.Action.Type.Name(action.type).removeprefix("TYPE_").lower(),
            when(action, "create_time"),
            action.merchant_id,
            action.payment_id,
            pb.Resolution.Name(action.resolution).removeprefix("RESOLUTION_").lower()
            if action.resolution
            else "-",
        )
        for action in actions
    ]
    as_table(("ID", "TYPE", "BEGUN", "MERCHANT", "PAYMENT", "RESOLVED AS"), rows)
