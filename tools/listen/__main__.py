"""`python -m tools.listen`, which `./paygate listen` runs.

Exit codes: 1 where the gateway has refused or another listener has begun, 2 where the command line
or the settings are wrong, 3 where nobody answers.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import httpx2
import typer

from paygate_client import AsyncPaygate
from paygate_client.errors import NotFoundError, PaygateError
from pkg.process.called import RUN
from pkg.process.data_folder import data_dir
from tools.listen.endpoint import Secrets, endpoint_of
from tools.listen.forwarding import AWAY, Forwarded, Forwarder

REFUSED, WRONG, NO_ANSWER = 1, 2, 3
CALL_SECONDS_MAX = 8.0
DEMO_ENV = "demo.env"
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
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object per event.")] = False,
) -> None:
    """Post a merchant's webhooks to this machine, signed, until it is stopped.

    PAYGATE_URL and PAYGATE_API_KEY say which gateway and merchant; without them it is the demo
    merchant of the gateway that runs on this machine.
    """
    target = "" if print_secret else _target(forward_to)
    url, key = _access(os.environ)
    types = [one.strip() for one in events.split(",") if one.strip()]
    try:
        asyncio.run(_listen(url, key, target, name, types, print_secret, as_json))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    except AWAY:
        raise _end(f"{url} does not answer.", NO_ANSWER) from None
    except PaygateError as problem:
        raise _end(str(problem), REFUSED) from None


async def _listen(
    url: str, key: str, target: str, name: str, types: list[str], print_secret: bool, as_json: bool
) -> None:
    async with (
        AsyncPaygate(url, key, deadline_seconds=CALL_SECONDS_MAX) as api,
        httpx2.AsyncClient(trust_env=False, timeout=None) as http,
    ):
        secrets = Secrets(os.environ)
        while True:
            endpoint = await endpoint_of(api, name, types, secrets)
            if print_secret:
                _say(json.dumps({"secret": endpoint.secret}) if as_json else endpoint.secret)
                return
            if endpoint.is_new:
                _note(f"The signing secret is {endpoint.secret}")
            forwarder = Forwarder(
                api,
                endpoint.id,
                target,
                http,
                tell=lambda one: _say(_as_json(one) if as_json else _as_line(one)),
                note=_note,
            )
            try:
                await forwarder.run(lambda: _note(f"Ready. Events go to {target}"))
            except NotFoundError:
                _note("The endpoint was removed; making a new one.")


def _target(text: str) -> str:
    """Return where to post, as a URL."""
    if not text:
        raise typer.BadParameter(
            "say where to post, such as localhost:3000/hook", param_hint=FORWARD
        )
    url = text if "://" in text else f"http://{text}"
    try:
        place = httpx2.URL(url)
        is_one = place.scheme in {"http", "https"} and _HOST.fullmatch(place.host) is not None
    except httpx2.InvalidURL:
        is_one = False
    if not is_one:
        raise typer.BadParameter(
            "must be an address such as localhost:3000/hook", param_hint=FORWARD
        )
    return url


def _access(environment: Mapping[str, str]) -> tuple[str, str]:
    """Return the gateway's address and the merchant's key."""
    found = dict(environment)
    if "PAYGATE_API_KEY" not in found:
        demo = data_dir(environment) / DEMO_ENV
        try:
            lines = demo.read_text().splitlines()
        except OSError:
            raise _end(
                f"set PAYGATE_API_KEY, or start the gateway with `{RUN}`: there is no {demo}.",
                WRONG,
            ) from None
        told = dict(line.removeprefix("export ").split("=", 1) for line in lines if "=" in line)
        found = {**told, **found}
    return found.get("PAYGATE_URL", "http://127.0.0.1:8080"), found["PAYGATE_API_KEY"]


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
    return json.dumps(
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


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _end(text: str, code: int) -> typer.Exit:
    _note(f"paygate: {text}")
    return typer.Exit(code)


app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(listen)

if __name__ == "__main__":
    app(prog_name="paygate listen")
