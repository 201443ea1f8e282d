"""`paygate open`: the console or the API reference in a browser, signed in."""

import asyncio
import os
import sys
import webbrowser
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Annotated

import typer

from pkg.process.called import RUN
from pkg.process.data_folder import told
from services.payments.cli.output import NO_ANSWER, REFUSED, say
from tools.stack import folder, settings
from tools.stack.errors import StackError
from tools.stack.link import SOCKET, fresh_link
from tools.stack.screen import complain
from tools.stack.settings import Settings

app = typer.Typer()


class Place(StrEnum):
    """What can be opened."""

    CONSOLE = "console"
    DOCS = "docs"


@app.command("open")
def open_(
    place: Annotated[Place, typer.Argument(help="Which page.")] = Place.CONSOLE,
    *,
    only_print: Annotated[
        bool, typer.Option("--print", help="Print the link, and open nothing.")
    ] = False,
) -> None:
    """Open the console in a browser, signed in as the demo merchant; print the link, too.

    The link works once. Where there is no browser it is only printed.
    """
    try:
        chosen = settings.load(os.environ)
    except StackError as error:
        complain(str(error))
        raise typer.Exit(REFUSED) from None
    try:
        link = asyncio.run(_fresh(chosen, place))
    except (OSError, ValueError, KeyError):
        complain(f"nothing serves on {chosen.data_dir}: start it with `{RUN}`.")
        raise typer.Exit(NO_ANSWER) from None
    say(link)
    if not only_print and _has_browser():
        webbrowser.open(_leading_to(link, chosen).as_uri())


async def _fresh(chosen: Settings, place: Place) -> str:
    here = told(chosen.demo_env)
    # Resolved, for a path that is too long for a socket is a link to a short one.
    socket = (chosen.run / "envoy").resolve() / SOCKET
    return await fresh_link(socket, here["PAYGATE_URL"], here["PAYGATE_API_KEY"], place)


def _has_browser() -> bool:
    """Say whether there is one with a window: others would take the terminal."""
    named = any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    try:
        return (named or sys.platform == "darwin") and webbrowser.get() is not None
    except webbrowser.Error:
        return False


def _leading_to(link: str, chosen: Settings) -> Path:
    """Return a page for us alone that leads there: everybody sees the arguments of programs."""
    page = chosen.run / "open.html"
    to = escape(link, quote=True)
    folder.write(
        page,
        f'<!doctype html><meta charset="utf-8"><title>paygate</title>'
        f'<meta http-equiv="refresh" content="0; url={to}"><a href="{to}">paygate</a>\n',
    )
    return page
