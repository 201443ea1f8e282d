"""`python -m tools.cli`, which `./paygate` runs in a clone."""

from typing import Annotated

import typer

from services.payments.cli.output import prepare, say
from tools.cli.groups import Named, app_of

_OPERATOR = "services.payments.cli"
COMMANDS = (
    Named("run", "tools.cli.run", "Start a gateway on this machine, with a simulated bank."),
    Named("ready", "tools.cli.ready", "Wait until it serves, and print where its address is."),
    Named("open", "tools.cli.open", "Open the console in a browser, signed in."),
    Named("doctor", "tools.cli.doctor", "See whether it can start here, and what to do if not."),
    Named("reset", "tools.cli.reset", "Empty its data folder."),
    Named("payments", "tools.cli.payments", "Make payments, capture, void and refund them."),
    Named("events", "tools.cli.events", "Follow what happens to payments, and send it again."),
    Named("requests", "tools.cli.requests", "Look at the calls that were made, and follow them."),
    Named("listen", "tools.listen.command", "Post webhooks to a server on this machine."),
    Named("webhooks", "tools.cli.webhooks", "Manage webhook endpoints, and what went to them."),
    Named("cards", "tools.cli.cards", "Show the test cards, and remove stored cards."),
    Named("clock", "tools.cli.clock", "Turn the sandbox's clock, and wait for what is due."),
    Named("bank", "tools.cli.bank", "Tell the simulated bank what to do, and see what it did."),
    Named("sandboxes", "tools.cli.sandboxes", "Make sandboxes: merchants for one test each."),
    Named("merchants", f"{_OPERATOR}.merchants", "Operator: manage merchants."),
    Named("keys", f"{_OPERATOR}.keys", "Operator: manage API keys."),
    Named("actions", f"{_OPERATOR}.actions", "Operator: end what is in doubt for over an hour."),
    Named("vault", f"{_OPERATOR}.vault", "Operator: rotate the key that wraps those of cards."),
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from tools.cli.version import version  # noqa: PLC0415 - for this alone

        say(f"paygate {version()}")
        raise typer.Exit


def _options(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Take what stands before a command's name."""


app = app_of(
    COMMANDS,
    help="Use a gateway's sandbox from the command line, and operate a gateway.",
    epilog="Exit codes: 0 done; 1 refused, declined or failed; 2 the command line or a setting is"
    " wrong; 3 nobody answers, or what became of it is not known yet; 130 Ctrl-C.",
    callback=_options,
)

if __name__ == "__main__":
    prepare()
    app(prog_name="paygate")
