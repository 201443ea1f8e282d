"""`paygate cards`: the test cards; and the removal of stored ones."""

from typing import Annotated

import typer

from paygate_client import _requests as calls
from paygate_client import _sandbox_requests as sandbox
from services.payments.cli.output import Json, note
from tools.cli.access import gateway as opened
from tools.cli.bank_cards import NAMES
from tools.cli.columns import Column, show, text
from tools.cli.options import id_of

app = typer.Typer(help="Show the test cards, and remove stored cards.")

CARDS: tuple[Column, ...] = (
    ("NAME", lambda one: NAMES.get(one["pan"], "-")),
    ("NUMBER", text("pan")),
    ("WHAT THE BANK DOES", text("description")),
)


@app.callback(invoke_without_command=True)
def without_command(context: typer.Context, *, json: Json = False) -> None:
    """Show the test cards, and remove stored cards."""
    if context.invoked_subcommand is None:
        _list(json=json)


@app.command("list")
def list_(*, json: Json = False) -> None:
    """List the cards whose numbers decide what the simulated bank does."""
    _list(json=json)


@app.command()
def remove(token: Annotated[str, id_of("tok_… of a payment's card.")]) -> None:
    """Remove a stored card's number for good; its payments can still be captured and refunded."""
    with opened() as api:
        api.send(calls.delete_card(token))
    note("The card is removed.")


def _list(*, json: bool) -> None:
    with opened() as api:
        show(api.send(sandbox.list_test_cards())["cards"], CARDS, json=json)
