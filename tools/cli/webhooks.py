"""`paygate webhooks …`: endpoints, and what went to them."""

from datetime import datetime, timedelta
from functools import partial
from json import loads
from typing import Annotated

import typer

from paygate_client import DeliveryStatus, EndpointStatus
from paygate_client import _requests as calls
from paygate_client import _sandbox_requests as sandbox
from services.payments.cli.output import Json, as_json_lines, note, say
from tools.cli import gateway
from tools.cli.access import gateway as opened
from tools.cli.columns import Column, show, text, when, word
from tools.cli.events import DELIVERIES
from tools.cli.options import EndpointId, Key, Limit, length, listed, time, word_option

app = typer.Typer(no_args_is_help=True, help="Manage webhook endpoints, and what went to them.")

Types = Annotated[
    str | None,
    typer.Option(
        "--events",
        help="Only these types, such as payment.captured,payment.refunded; all if missing.",
    ),
]
Description = Annotated[str | None, typer.Option(help="Your own words.")]

ENDPOINTS: tuple[Column, ...] = (
    ("ID", text("id")),
    ("STATUS", lambda one: word(one["status"])),
    ("URL", text("url")),
    ("EVENTS", lambda one: ",".join(one.get("event_types") or ["all"])),
    ("MADE", lambda one: when(one["create_time"])),
    ("DESCRIPTION", text("description")),
)
INBOX: tuple[Column, ...] = (
    ("ID", text("id")),
    ("CAME", lambda one: when(one["create_time"])),
    ("ENDPOINT", text("endpoint_id")),
    ("EVENT", text("event_id")),
    ("CODE", text("status_code")),
    ("TYPE", lambda one: str(loads(one["body"]).get("type", "-"))),
)


@app.command("list")
def list_(*, json: Json = False) -> None:
    """List the endpoints, the newest first."""
    with opened() as api:
        show(api.each("endpoints", calls.list_endpoints), ENDPOINTS, json=json)


@app.command()
def create(
    url: Annotated[str, typer.Argument(help="Where events are posted.", show_default=False)],
    events: Types = None,
    description: Description = None,
    key: Key = None,
    *,
    json: Json = False,
) -> None:
    """Make an endpoint, and print its signing secret: it is shown this once."""
    call = calls.create_endpoint(
        url, event_types=listed(events or ""), description=description or ""
    )
    with opened() as api:
        _tell(api.send(call, key), json=json)


@app.command()
def update(
    endpoint_id: EndpointId,
    url: Annotated[str | None, typer.Option(help="Where events are posted.")] = None,
    events: Annotated[
        str | None, typer.Option("--events", help="The types to post; '' for all.")
    ] = None,
    status: Annotated[
        EndpointStatus | None,
        word_option(EndpointStatus, "enabled or disabled.", "STATUS"),
    ] = None,
    description: Description = None,
    *,
    json: Json = False,
) -> None:
    """Change what is given of an endpoint, and nothing else."""
    types = None if events is None else listed(events)
    call = calls.update_endpoint(
        endpoint_id, url=url, event_types=types, status=status, description=description
    )
    with opened() as api:
        reply = api.send(call)
    _show(reply, json=json)


@app.command()
def delete(endpoint_id: EndpointId) -> None:
    """Remove an endpoint; what was on its way to it is given up."""
    with opened() as api:
        api.send(calls.delete_endpoint(endpoint_id))
    note(f"The endpoint {endpoint_id} is removed.")


@app.command("rotate-secret")
def rotate_secret(
    endpoint_id: EndpointId,
    overlap: Annotated[
        timedelta | None,
        typer.Option(
            help="For how long the old one signs as well, such as 2h; a day if missing.",
            parser=length,
            metavar="LENGTH",
        ),
    ] = None,
    key: Key = None,
    *,
    json: Json = False,
) -> None:
    """Make a new signing secret, and print it: it is shown this once."""
    with opened() as api:
        _tell(api.send(calls.rotate_secret(endpoint_id, overlap=overlap), key), json=json)


@app.command("test")
def send_test(endpoint_id: EndpointId, key: Key = None, *, json: Json = False) -> None:
    """Deliver an event of type webhook.test to this endpoint alone."""
    with opened() as api:
        reply = api.send(calls.send_test_event(endpoint_id), key)
    if json:
        as_json_lines([reply])
    else:
        show([reply["delivery"]], DELIVERIES, json=False)


@app.command()
def deliveries(
    endpoint_id: EndpointId,
    status: Annotated[
        DeliveryStatus | None,
        word_option(DeliveryStatus, "Only with this status, such as failed.", "STATUS"),
    ] = None,
    limit: Limit = 20,
    *,
    json: Json = False,
) -> None:
    """List what became of the events that went to an endpoint, the newest event first."""
    with opened() as api:
        page = partial(calls.list_endpoint_deliveries, endpoint_id, status=status)
        show(api.each("deliveries", page), DELIVERIES, json=json, limit=limit)


@app.command()
def redeliver(
    endpoint_id: EndpointId,
    since: Annotated[
        datetime,
        typer.Option(
            help="What failed since this time.", parser=time, metavar="TIME", show_default=False
        ),
    ],
    *,
    json: Json = False,
) -> None:
    """Deliver again what has failed at an endpoint, and print how much that was."""
    count = 0
    with opened() as api:
        while step := int(api.send(calls.redeliver_failed(endpoint_id, since=since))["count"]):
            count += step
    if json:
        as_json_lines([{"count": count}])
    else:
        say(str(count))


@app.command()
def inbox(limit: Limit = 20, *, json: Json = False) -> None:
    """List what came for endpoints at https://inbox.paygate.test/, the newest first.

    --json has headers and body, as they were signed.
    """
    with opened() as api:
        show(api.each("messages", sandbox.list_inbox), INBOX, json=json, limit=limit)


def _tell(reply: gateway.Json, *, json: bool) -> None:
    note(f"The signing secret of {reply['endpoint']['id']}. It is shown this once.")
    if json:
        as_json_lines([reply])
    else:
        say(reply["secret"])


def _show(reply: gateway.Json, *, json: bool) -> None:
    if json:
        as_json_lines([reply])
    else:
        show([reply["endpoint"]], ENDPOINTS, json=False)
