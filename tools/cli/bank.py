"""`paygate bank …`: what the simulated bank is told to do, and what it did."""

import typer

from paygate_client import _bank_requests as calls
from services.payments.cli.output import Json
from tools.cli import rules
from tools.cli.access import gateway as opened
from tools.cli.columns import Column, money, show, text, when, word
from tools.cli.options import Limit

app = typer.Typer(
    no_args_is_help=True, help="Tell the simulated bank what to do, and see what it did."
)
app.add_typer(rules.app, name="rules")

REQUESTS: tuple[Column, ...] = (
    ("CAME", lambda one: when(one["create_time"])),
    ("VERB", lambda one: word(one["verb"])),
    ("AMOUNT", lambda one: money(one) if one["currency"] else "-"),
    ("RESULT", lambda one: word(one["result"])),
    ("RULE", text("rule_id")),
    ("ACTION", text("action_id")),
    ("REFERENCE", text("reference")),
)


@app.command()
def requests(limit: Limit = 20, *, json: Json = False) -> None:
    """List what the bank was asked for and what it made of it, the newest first."""
    with opened() as api:
        show(api.each("requests", calls.list_requests), REQUESTS, json=json, limit=limit)
