"""`paygate listen`.

It ends with 1 also when another listener of its name has begun.
"""

import asyncio
import os
import re
from datetime import datetime
from json import dumps
from typing import Annotated

import httpx2
import typer

from paygate_client import AsyncPaygate
from paygate_client.errors import NotFoundError, PaygateError
from services.payments.cli.output import Json, note, say
from tools.cli.access import Place, ended_by, place
from tools.cli.options import listed
from tools.listen.endpoint import Secrets, endpoint_of
from tools.listen.forwarding import Forwarded, Forwarder

CALL_SECONDS_MAX = 8.0
FORWARD = "--forward-to"
# A name, or an IPv4 or IPv6 address.
_HOST = re.compile(r"[A-Za-z0-9._:-]+")


def listen(
    forward_to: Annotated[
        str, typer.Option(help="Where to post, such as localhost:3000/hook.", show_default=False)
    ] = "",
    events: Annotated[
        str, typer.Option(help="Only these types, such as payment.captured,payment.refunded.")
    ] = "",
    name: Annotated[
        str, typer.Option(help="Of the endpoint; several listeners need several names.")
    ] = "default",
    print_secret: Annotated[
        bool, typer.Option("--print-secret", help="Print the signing secret, and end.")
    ] = False,
    *,
    json: Json = False,
) -> None:
    """Post a merchant's webhooks to this machine, signed, until it is stopped.

    PAYGATE_URL and PAYGATE_API_KEY say which gateway and merchant; without them it is the demo
    merchant of the gateway that runs on this machine.
    """
    target = "" if print_secret else _target(forward_to)
    at = place()
    types = listed(events)
    try:
        asyncio.run(_listen(at, target, name, types, print_secret=print_secret, json=json))
    except KeyboardInterrupt:
        return
    except PaygateError as problem:
        raise ended_by(problem, at) from None


async def _listen(
    at: Place, target: str, name: str, types: list[str], *, print_secret: bool, json: bool
) -> None:
    async with (
        AsyncPaygate(at.url, at.key, deadline_seconds=CALL_SECONDS_MAX) as api,
        httpx2.AsyncClient(trust_env=False, timeout=None) as http,
    ):
        secrets = Secrets(os.environ)
        while True:
            endpoint = await endpoint_of(api, name, types, secrets)
            if print_secret:
                say(dumps({"secret": endpoint.secret}) if json else endpoint.secret)
                return
            if endpoint.is_new:
                note(f"The signing secret is {endpoint.secret}")
            forwarder = Forwarder(
                api,
                endpoint.id,
                target,
                http,
                tell=lambda one: say(_as_json(one) if json else _as_line(one)),
                note=note,
            )
            try:
                await forwarder.run(lambda: note(f"Ready. Events go to {target}"))
            except NotFoundError:
                note("The endpoint was removed; making a new one.")


def _target(text: str) -> str:
    """Return where to post, as a URL."""
    if not text:
        raise typer.BadParameter(
            "say where to post, such as localhost:3000/hook", param_hint=FORWARD
        )
    url = text if "://" in text else f"http://{text}"
    try:
        parts = httpx2.URL(url)
        is_one = parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.host) is not None
        is_one &= parts.port is None or 0 < parts.port < 65_536
    except httpx2.InvalidURL:
        is_one = False
    if not is_one:
        raise typer.BadParameter(
            "must be an address such as localhost:3000/hook", param_hint=FORWARD
        )
    return url


def _as_line(one: Forwarded) -> str:
    status = str(one.status_code) if one.problem is None else one.problem.name.lower()
    parts = [
        datetime.now().astimezone().strftime("%H:%M:%S"),
        one.event_type,
        one.message.event_id,
        status.replace("_", " "),
        f"{one.milliseconds:.0f} ms",
    ]
    if one.message.attempt > 1:
        parts.append(f"attempt {one.message.attempt}")
    if one.message.taken_before:
        parts.append("may have been posted before")
    if not one.counted:
        parts.append("too late: it will come again")
    return "  ".join(parts)


def _as_json(one: Forwarded) -> str:
    return dumps(
        {
            "event_id": one.message.event_id,
            "type": one.event_type,
            "attempt": one.message.attempt,
            "taken_before": one.message.taken_before,
            "status_code": one.status_code,
            "problem": one.problem.name if one.problem else "",
            "milliseconds": round(one.milliseconds, 1),
            "counted": one.counted,
        }
    )


app = typer.Typer()
app.command()(listen)
