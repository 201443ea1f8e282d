"""Which gateway and merchant a command is for, and what is said when a call fails."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import typer

from paygate_client._address import headers_for
from paygate_client.errors import (
    ConnectionFailedError,
    GatewayError,
    PaygateError,
    StillPendingError,
    UnavailableError,
)
from pkg.process.called import RUN
from pkg.process.data_folder import data_dir, told
from services.payments.cli.output import NO_ANSWER, REFUSED, WRONG, end
from tools.cli.gateway import Gateway

DEMO_ENV = "demo.env"
URL_DEFAULT = "http://127.0.0.1:8080"
CONNECT_SECONDS_MAX = 3.0
_URL, _KEY = "PAYGATE_URL", "PAYGATE_API_KEY"


@dataclass(frozen=True)
class Place:
    """A gateway, and a merchant's key for it; `told_by` is where they were found."""

    url: str
    key: str = field(repr=False)
    told_by: str


def place_of(environment: Mapping[str, str]) -> Place:
    """Return what the environment says, or else the gateway that runs on this machine.

    The key of that one goes to it alone, and not to another that the environment names.

    Raises:
        ValueError: There is none; says where it was looked for.
    """
    for name in (_URL, _KEY):
        if environment.get(name) == "":  # what should have filled it has failed
            raise ValueError(f"{name} is set, and empty: give it, or unset it.")
    demo = data_dir(environment) / DEMO_ENV
    here, asked = told(demo), environment.get(_URL)
    if key := environment.get(_KEY):
        if asked or not here:
            return Place(asked or URL_DEFAULT, key, _URL)
        return Place(here[_URL], key, str(demo))
    if not here:
        raise ValueError(
            f"set {_URL} and {_KEY}, or start a gateway with `{RUN}`, or set PAYGATE_DATA_DIR to"
            f" where one serves: there is no {demo}."
        )
    if asked and asked.rstrip("/") != here[_URL].rstrip("/"):
        raise ValueError(f"set {_KEY}, too: the key in {demo} is for {here[_URL]}.")
    return Place(here[_URL], here[_KEY], str(demo))


def place() -> Place:
    """Return where this command's calls go; end the command if nothing says, or nobody is there."""
    try:
        at = place_of(os.environ)
    except ValueError as problem:
        raise end(str(problem), WRONG) from None
    try:
        headers_for(at.url, at.key)
    except ValueError as problem:
        raise end(f"what {_URL} and {_KEY} say is wrong: {problem}.", WRONG) from None
    _must_be_there(at)
    return at


@contextmanager
def gateway() -> Iterator[Gateway]:
    """Give the gateway; whatever is wrong with it or refused by it ends the command."""
    at = place()
    with closing(Gateway(at.url, at.key)) as api:
        try:
            yield api
        except PaygateError as problem:
            raise ended_by(problem, at) from None


def ended_by(problem: PaygateError, at: Place) -> typer.Exit:
    """Say what has failed, and return what ends the command."""
    match problem:
        case ConnectionFailedError():
            said, code = _no_answer(at), NO_ANSWER
        case UnavailableError() | GatewayError() | StillPendingError():
            said, code = str(problem), NO_ANSWER
        case _:
            return end(str(problem), REFUSED)
    if problem.idempotency_key:
        said += (
            " What became of it is not known. Make the same call again with --idempotency-key"
            f" {problem.idempotency_key}: it has one effect."
        )
    return end(said, code)


def _must_be_there(at: Place) -> None:
    """End the command if nobody listens there: a call would be tried again for seconds."""
    parts = urlsplit(at.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), CONNECT_SECONDS_MAX).close()
    except OSError:
        raise end(_no_answer(at), NO_ANSWER) from None


def _no_answer(at: Place) -> str:
    return f"{at.url} does not answer ({at.told_by} says that it is there)."
