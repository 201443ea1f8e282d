"""`paygate clock …`: the merchant's clock, and what time brings."""

import time
from datetime import timedelta
from typing import Annotated

import typer

from paygate_client import _sandbox_requests as calls
from services.payments.cli.output import REFUSED, Json, as_json_lines, end, say
from services.payments.cli.progress import progress
from tools.cli import gateway
from tools.cli.access import gateway as opened
from tools.cli.columns import Column, count, show, text, when, word
from tools.cli.options import Key, Yes, confirmed, length

app = typer.Typer(no_args_is_help=True, help="Turn the sandbox's clock, and wait for what is due.")

DRAIN_DEFAULT = timedelta(seconds=30)
STEP_SECONDS_MAX = 1.0
_OPEN = ("pending_actions", "due_expiries", "pending_events", "due_deliveries")

CLOCK: tuple[Column, ...] = (
    ("NOW", lambda one: when(one["now"])),
    ("AHEAD", lambda one: str(timedelta(seconds=float(one["offset"].removesuffix("s"))))),
)
DUE: tuple[Column, ...] = (
    ("WHEN", lambda one: when(one["due_time"])),
    ("WHAT", lambda one: word(one["kind"])),
    ("PAYMENT", text("payment_id")),
    ("EVENT", text("event_id")),
    ("ENDPOINT", text("endpoint_id")),
)


@app.command("show")
def show_(*, json: Json = False) -> None:
    """Show the merchant's clock, and how far it is ahead of the real time."""
    with opened() as api:
        show([api.send(calls.get_clock())], CLOCK, json=json)


@app.command()
def due(*, json: Json = False) -> None:
    """List the first 20 things that time brings, the soonest first."""
    with opened() as api:
        show(api.send(calls.list_due())["due"], DUE, json=json)


@app.command()
def advance(
    by: Annotated[
        timedelta,
        typer.Argument(
            help="How far: 8d, 1d12h, 90m, 30s; 400 days at most.",
            parser=length,
            metavar="LENGTH",
            show_default=False,
        ),
    ],
    key: Key = None,
    *,
    json: Json = False,
) -> None:
    """Turn the merchant's clock forward."""
    with opened() as api:
        show([api.send(calls.advance_clock(by), key)], CLOCK, json=json)


@app.command()
def drain(
    timeout: Annotated[
        timedelta | None,
        typer.Option(help="How long to wait; 30s if missing.", parser=length, metavar="LENGTH"),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Wait until all is done that is due: pending actions, expiries, events, deliveries."""
    until = time.monotonic() + (timeout or DRAIN_DEFAULT).total_seconds()
    with opened() as api, progress("Draining") as shown:
        most = 0
        while True:
            left = max(0.0, until - time.monotonic())
            reply = api.send(calls.drain(timedelta(seconds=min(left, STEP_SECONDS_MAX))))
            open_now = sum(int(reply[name]) for name in _OPEN)
            most = max(most, open_now)
            shown(most - open_now, most)
            if reply["drained"] or left <= STEP_SECONDS_MAX:
                break
    _tell(reply, json=json)


@app.command()
def reset(
    *,
    yes: Yes = False,
    key: Key = None,
    json: Json = False,
) -> None:
    """Put the clock back, and remove all payments, events, endpoints and rules of the merchant."""
    confirmed("Remove all payments, events, endpoints and rules?", yes=yes)
    with opened() as api:
        reply = api.send(calls.reset(), key)
    if json:
        as_json_lines([reply])
    else:
        say(f"{reply['payments']} payments were removed")


def _tell(reply: gateway.Json, *, json: bool) -> None:
    columns = tuple((name.replace("_", " ").upper(), count(name)) for name in _OPEN)
    show([reply], columns, json=json)
    if not reply["drained"]:
        raise end("there is still something to do.", REFUSED)
