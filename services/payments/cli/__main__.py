"""`python -m services.payments.cli`, which `./paygate` runs."""

import typer

from services.payments.cli import actions, keys, merchants, vault
from services.payments.cli.output import prepare

app = typer.Typer(
    name="paygate",
    help="Operate a gateway. In a clone, and where paygate-sandbox is installed, there are commands"
    " for developers, too.",
    no_args_is_help=True,
    add_completion=False,
    # Plain text for every terminal, and no tracebacks that show variables: one may be a key.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(merchants.app, name="merchants")
app.add_typer(keys.app, name="keys")
app.add_typer(actions.app, name="actions")
app.add_typer(vault.app, name="vault")


if __name__ == "__main__":
    prepare()
    app(prog_name="paygate")
