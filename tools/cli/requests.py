"""`paygate requests …`: the sandbox's request log."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import islice
from typing import Annotated, Any

import typer

from paygate_client import _logged_requests as calls
from paygate_client._call import Call
from services.payments.cli.output import Json, as_json_lines, say
from tools.cli import gateway
from tools.cli.access import gateway as opened
from tools.cli.columns import Column, show, show_one, text, when
from tools.cli.following import AWAY, Contact
from tools.cli.options import Limit, id_of

app = typer.Typer(no_args_is_help=True, help="Look at the calls that were made, and follow them.")

POLL_SECONDS = 1.0
# A call may come into the log after later ones: so many known ones in a row, and none is missed.
KNOWN_IN_A_ROW = 50
REMEMBERED = 2_000

Failed = Annotated[bool, typer.Option("--failed", help="Only those that ended with an error.")]
Method = Annotated[str | None, typer.Option(help="Only of this method, such as Authorize.")]
Payment = Annotated[str | None, typer.Option(help="Only about this payment.", metavar="ID")]
Key = Annotated[
    str | None, typer.Option("--idempotency-key", help="Only with this key.", metavar="KEY")
]

REQUESTS: tuple[Column, ...] = (
    ("MADE", lambda one: when(one["create_time"])),
    ("METHOD", text("method")),
    ("HTTP", text("http_status")),
    ("REASON", text("reason")),
    ("TOOK", text("duration")),
    ("PAYMENT", text("payment_id")),
    ("ID", text("id")),
)


@app.command()
def tail(
    payment: Payment = None,
    method: Method = None,
    key: Key = None,
    *,
    failed: Failed = False,
    json: Json = False,
) -> None:
    """Print calls as they come into the log, from now on, until Ctrl-C."""
    page = _page(failed=failed, payment=payment, method=method, key=key)
    with opened() as api:
        try:
            _follow(api, page, json=json)
        except KeyboardInterrupt:
            return


@app.command("list")
def list_(
    payment: Payment = None,
    method: Method = None,
    key: Key = None,
    limit: Limit = 20,
    *,
    failed: Failed = False,
    json: Json = False,
) -> None:
    """List the last calls, the newest first."""
    page = _page(failed=failed, payment=payment, method=method, key=key)
    with opened() as api:
        show(api.each("requests", page), REQUESTS, json=json, limit=limit)


@app.command()
def get(
    request_id: Annotated[str, id_of("The x-request-id of its reply.")], *, json: Json = False
) -> None:
    """Show a call with what was sent and what came back, as JSON without card data."""
    with opened() as api:
        reply = api.send(calls.get_request(request_id))
    if json:
        as_json_lines([reply])
        return
    show([reply["request"]], REQUESTS, json=False)
    for part in ("request", "reply"):
        say(f"\n{part}:")
        as_json_lines([reply["request"].get(part) or {}])


def _follow(api: gateway.Gateway, page: Callable[..., Call[Any]], *, json: bool) -> None:
    """Print what comes into the log, the oldest first."""
    contact = Contact()
    known: dict[str, None] | None = None
    while True:
        try:
            if known is None:
                newest = islice(api.each("requests", page), 2 * KNOWN_IN_A_ROW)
                known, new = {one["id"]: None for one in newest}, []
            else:
                new = _new(api, page, known)
        except AWAY:
            contact.away()
            continue
        contact.there()
        for one in reversed(new):
            known[one["id"]] = None
            show_one(one, REQUESTS, json=json)
        for old in list(known)[:-REMEMBERED]:
            del known[old]
        time.sleep(POLL_SECONDS)


def _new(
    api: gateway.Gateway, page: Callable[..., Call[Any]], known: Mapping[str, None]
) -> list[gateway.Json]:
    """Return what is new in the log, the newest first."""
    new: list[gateway.Json] = []
    in_a_row = 0
    for one in api.each("requests", page):
        if one["id"] in known:
            in_a_row += 1
        else:
            new.append(one)
            in_a_row = 0
        if in_a_row == KNOWN_IN_A_ROW or len(new) == REMEMBERED // 2:
            break
    return new


def _page(
    *, failed: bool, payment: str | None, method: str | None, key: str | None
) -> Callable[..., Call[Any]]:
    return partial(
        calls.list_requests, failed=failed, payment=payment, idempotency_key=key, method=method
    )
