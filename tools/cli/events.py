"""`paygate events …`."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import typer

from paygate_client import _requests as calls
from services.payments.cli.output import Json, as_json_lines, note, say
from tools.cli import gateway
from tools.cli.access import gateway as opened
from tools.cli.columns import Column, card, count, money, show, show_one, text, when, word
from tools.cli.following import AWAY, Contact
from tools.cli.options import EndpointId, EventId, Key, Limit, Since, Until

app = typer.Typer(no_args_is_help=True, help="Follow what happens to payments, and send it again.")

Payment = Annotated[str | None, typer.Option(help="Only of this payment.", metavar="ID")]
Type = Annotated[
    str | None, typer.Option("--type", help="Only of this type, such as payment.captured.")
]


def _payment(event: gateway.Json) -> gateway.Json:
    found: gateway.Json = (event.get("data") or {}).get("payment") or {}
    return found


EVENTS: tuple[Column, ...] = (
    ("ID", text("id")),
    ("MADE", lambda one: when(one["create_time"])),
    ("TYPE", text("type")),
    ("PAYMENT", lambda one: _payment(one).get("id", "-")),
    ("AUTHORIZED", lambda one: money(_payment(one)["authorized"]) if _payment(one) else "-"),
    ("CARD", lambda one: card(_payment(one).get("card"))),
)
DELIVERIES: tuple[Column, ...] = (
    ("EVENT", text("event_id")),
    ("ENDPOINT", text("endpoint_id")),
    ("STATUS", lambda one: word(one["status"])),
    ("ATTEMPTS", count("attempts")),
    ("LAST", lambda one: when(one.get("last_attempt_time"))),
    ("CODE", text("last_status_code")),
    ("NEXT", lambda one: when(one.get("next_attempt_time"))),
    ("TYPE", text("event_type")),
    ("ERROR", text("last_error")),
)
ATTEMPTS: tuple[Column, ...] = (
    ("ATTEMPT", text("number")),
    ("MADE", lambda one: when(one["create_time"])),
    ("TOOK", text("duration")),
    ("CODE", text("status_code")),
    ("ERROR", text("error")),
)


@app.command()
def tail(
    payment: Payment = None,
    event_type: Type = None,
    cursor: Annotated[
        str, typer.Option(help="Go on from here: what --json prints, or was said at the end.")
    ] = "",
    *,
    json: Json = False,
) -> None:
    """Print events as they come, until Ctrl-C.

    Each is printed once, and none is missed while the gateway is away or restarts.
    """
    with opened() as api:
        watch = api.watch(
            lambda at: calls.watch_events(payment=payment, event_type=event_type, cursor=at),
            cursor,
        )
        try:
            for message in _for_ever(watch):
                if event := message.get("event"):
                    show_one(message if json else event, EVENTS, json=json)
        except KeyboardInterrupt:
            if watch.cursor:
                note(f"To go on from here: --cursor {watch.cursor}")


@app.command("list")
def list_(
    payment: Payment = None,
    event_type: Type = None,
    after: Since = None,
    before: Until = None,
    limit: Limit = 20,
    *,
    json: Json = False,
) -> None:
    """List events, the newest first."""
    page = partial(
        calls.list_events,
        payment=payment,
        event_type=event_type,
        created_after=after,
        created_before=before,
        follow=False,
    )
    with opened() as api:
        show(api.each("events", page), EVENTS, json=json, limit=limit)


@app.command()
def get(event_id: EventId, *, json: Json = False) -> None:
    """Show an event, and what became of it at each endpoint."""
    with opened() as api:
        reply = api.send(calls.get_event(event_id))
        if json:
            as_json_lines([reply])
            return
        sent = list(api.each("deliveries", partial(calls.list_deliveries, event_id, follow=False)))
    show([reply["event"]], EVENTS, json=False)
    say("")
    show(sent, DELIVERIES, json=False)


@app.command()
def resend(
    event_id: EventId,
    endpoint: Annotated[
        str | None,
        typer.Option(help="we_…; to all endpoints that want it if missing.", metavar="ID"),
    ] = None,
    key: Key = None,
    *,
    json: Json = False,
) -> None:
    """Deliver an event again."""
    with opened() as api:
        reply = api.send(calls.redeliver_event(event_id, endpoint=endpoint), key)
    show(reply["deliveries"], DELIVERIES, json=json)


@app.command()
def attempts(event_id: EventId, endpoint_id: EndpointId, *, json: Json = False) -> None:
    """List the last 50 tries to deliver an event to an endpoint, the newest first."""
    with opened() as api:
        page = partial(calls.list_attempts, event_id, endpoint_id)
        show(api.each("attempts", page), ATTEMPTS, json=json)


def _for_ever(watch: Any) -> Iterator[gateway.Json]:
    """Yield what a watch yields; go on when the gateway is back."""
    contact = Contact()
    while True:
        try:
            for message in watch:
                contact.there()
                yield message
        except AWAY:
            contact.away()
