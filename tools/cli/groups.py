"""Commands whose modules are imported when they are named, so that the command starts quickly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

# Options that typer gives each of them, and that only the whole command has a use for.
_OF_THE_WHOLE = {"install_completion", "show_completion"}


@dataclass(frozen=True)
class Named:
    """A command, or a group of commands, that is not imported yet.

    Attributes:
        name: What it is called by.
        module: Where it is: its `app`.
        summary: What it is for, in one line.
    """

    name: str
    module: str
    summary: str


class Lazy(TyperGroup):
    """Knows its commands by their names and summaries, and imports the one that is named."""

    modules: dict[str, str]

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the command that the arguments name, imported; and what is left of them."""
        name, command, rest = super().resolve_command(ctx, args)
        if name in self.modules:
            app: typer.Typer = import_module(self.modules[name]).app
            app.rich_markup_mode = None
            command = typer.main.get_command(app)
            command.params = [one for one in command.params if one.name not in _OF_THE_WHOLE]
        return name, command, rest


def app_of(
    commands: Sequence[Named],
    *,
    help: str,  # noqa: A002 -- typer's own word
    epilog: str,
    callback: Callable[..., None],
) -> typer.Typer:
    """Return a program of such commands; `callback` takes the options before their names."""
    group = type("Group", (Lazy,), {"modules": {one.name: one.module for one in commands}})
    app = typer.Typer(
        cls=group,
        help=help,
        epilog=epilog,
        no_args_is_help=True,
        add_completion=True,
        # Plain text for every terminal, and no tracebacks that show variables: one may be a key.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(callback)
    for one in commands:
        app.command(one.name, help=one.summary)(_not_imported_yet)
    return app


def _not_imported_yet() -> None:
    raise AssertionError("resolve_command takes the place of this")
