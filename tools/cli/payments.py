"""`paygate payments …`."""

import time
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

import typer

from paygate_client import Card, PaymentStatus
from paygate_client import _requests as calls
from paygate_client._call import Call
from paygate_client._decode import payment
from services.payments.cli.output import (
    NO_ANSWER,
    REFUSED,
    Json,
    as_json_lines,
    end,
    note,
    say,
)
from tools.cli import gateway
from tools.cli.access import gateway as opened
from tools.cli.bank_cards import card as card_of
from tools.cli.bank_cards import names
from tools.cli.columns import Column, card, money, show, text, when, word
from tools.cli.options import (
    Amount,
    Key,
    Limit,
    PaymentId,
    Reference,
    Since,
    Until,
    length,
    word_option,
)

app = typer.Typer(no_args_is_help=True, help="Make payments, capture, void and refund them.")

WAIT_DEFAULT = timedelta(seconds=30)
POLL_SECONDS = 0.5

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the payment's id alone.")]

PAYMENTS: tuple[Column, ...] = (
    ("ID", text("id")),
    ("STATUS", lambda one: word(one["status"])),
    ("AUTHORIZED", lambda one: money(one["authorized"])),
    ("CAPTURED", lambda one: money(one["captured"])),
    ("REFUNDED", lambda one: money(one["refunded"])),
    ("CARD", lambda one: card(one.get("card"))),
    ("MADE", lambda one: when(one["create_time"])),
    ("REFERENCE", text("reference")),
)
ACTIONS: tuple[Column, ...] = (
    ("ACTION", text("id")),
    ("TYPE", lambda one: word(one["type"])),
    ("STATUS", lambda one: word(one["status"])),
    ("AMOUNT", lambda one: money(one["amount"])),
    ("MADE", lambda one: when(one["create_time"])),
    ("DECLINE", lambda one: word(one["decline"]["code"]) if one.get("decline") else "-"),
    ("REFERENCE", text("reference")),
)

_NOUNS = {"TYPE_AUTHORIZE": "authorization"}


@app.command()
def authorize(
    amount: Amount,
    card: Annotated[
        Card | None,
        typer.Option(
            help="A test card's name or number (`paygate cards`); visa if missing.",
            parser=card_of,
            autocompletion=names,
            metavar="CARD",
        ),
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="tok_… of a card that was used before, instead of --card.")
    ] = None,
    reference: Reference = "",
    key: Key = None,
    *,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Reserve an amount on a card."""
    if card and token:
        raise typer.BadParameter("either a card or a token", param_hint="--card, --token")
    charged = None if token else card or card_of("visa")
    call = calls.authorize(amount, card=charged, card_token=token, reference=reference)
    _move(call, key, quiet=quiet, json=json)


@app.command()
def capture(
    payment_id: PaymentId,
    amount: Amount,
    reference: Reference = "",
    key: Key = None,
    *,
    final: Annotated[bool, typer.Option("--final", help="Release what is left.")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Take all or part of what is reserved."""
    call = calls.capture(payment_id, amount, final=final, reference=reference)
    _move(call, key, quiet=quiet, json=json)


@app.command()
def void(
    payment_id: PaymentId,
    reference: Reference = "",
    key: Key = None,
    *,
    remainder: Annotated[
        bool, typer.Option("--remainder", help="Release only what no capture has taken.")
    ] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Cancel a payment that was not captured."""
    call = calls.void(payment_id, remainder=remainder, reference=reference)
    _move(call, key, quiet=quiet, json=json)


@app.command()
def refund(
    payment_id: PaymentId,
    amount: Amount,
    reference: Reference = "",
    key: Key = None,
    *,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Give captured money back, all or part of it."""
    call = calls.refund(payment_id, amount, reference=reference)
    _move(call, key, quiet=quiet, json=json)


@app.command()
def get(payment_id: PaymentId, *, json: Json = False) -> None:
    """Show a payment, and its newest 100 actions."""
    with opened() as api:
        reply = api.send(calls.get_payment(payment_id, include_actions=True))
    _show(reply, json=json)


@app.command()
def wait(
    payment_id: PaymentId,
    timeout: Annotated[
        timedelta | None,
        typer.Option(help="How long; 30s if missing.", parser=length, metavar="LENGTH"),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Wait until nothing of a payment is pending, and show it."""
    deadline = time.monotonic() + (timeout or WAIT_DEFAULT).total_seconds()
    with opened() as api:
        while True:
            reply = api.send(calls.get_payment(payment_id, include_actions=True))
            is_final = payment(reply["payment"]).is_final
            left = deadline - time.monotonic()
            if is_final or left <= 0:
                break
            time.sleep(min(left, POLL_SECONDS))
    _show(reply, json=json)
    if not is_final:
        raise end("it is pending still: the bank's answer is not known yet.", NO_ANSWER)


@app.command("list")
def list_(
    status: Annotated[
        PaymentStatus | None,
        word_option(PaymentStatus, "Only with this status, such as captured.", "STATUS"),
    ] = None,
    reference: Annotated[str | None, typer.Option(help="Only with exactly this reference.")] = None,
    after: Since = None,
    before: Until = None,
    limit: Limit = 20,
    *,
    json: Json = False,
) -> None:
    """List payments, the newest first."""
    page = partial(
        calls.list_payments,
        status=status,
        reference=reference,
        created_after=after,
        created_before=before,
        follow=False,
    )
    with opened() as api:
        show(api.each("payments", page), PAYMENTS, json=json, limit=limit)


def _show(reply: gateway.Json, *, json: bool) -> None:
    if json:
        as_json_lines([reply])
        return
    show([reply["payment"]], PAYMENTS, json=False)
    say("")
    show(reply["payment"]["actions"], ACTIONS, json=False)


def _move(call: Call[Any], key: str | None, *, quiet: bool, json: bool) -> None:
    """Make a call that moves money, and print what became of the payment.

    The exit code is 0 only if it was done: a script must not go on after a decline, nor while
    nobody knows.
    """
    with opened() as api:
        reply = api.send(call, key)
    payment, action = reply["payment"], reply["action"]
    try:
        if json:
            as_json_lines([reply])
        elif quiet:
            say(payment["id"])
        else:
            show([payment], PAYMENTS, json=False)
    except typer.Exit:
        note(f"Action {action['id']} of payment {payment['id']} was made.")
        raise
    _end_unless_done(action)


def _end_unless_done(action: gateway.Json) -> None:
    kind, status = _NOUNS.get(action["type"], word(action["type"])), word(action["status"])
    if status == "pending":
        raise end(f"the {kind} is pending: the bank's answer is not known yet.", NO_ANSWER)
    if status == "declined":
        raise end(f"the {kind} was declined: {word(action['decline']['code'])}.", REFUSED)
    if status != "succeeded":
        raise end(f"the {kind} has {status}.", REFUSED)
