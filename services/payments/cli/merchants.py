"""`paygate merchants …`."""

from collections.abc import Sequence
from typing import Annotated

import typer

from paygate.admin.v1 import admin_service_pb2 as pb
from services.payments.cli.access import Admin
from services.payments.cli.output import Json, as_table
from services.payments.cli.replies import as_json, when

app = typer.Typer(no_args_is_help=True, help="Manage merchants.")

MerchantId = Annotated[str, typer.Argument(help="The merchant's id: mer_…", show_default=False)]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="For people.", show_default=False)],
    merchant_id: Annotated[str, typer.Option("--id", help="mer_…; made up if missing.")] = "",
    *,
    json: Json = False,
) -> None:
    """Make a merchant."""
    request = pb.CreateMerchantRequest(name=name, id=merchant_id)
    _show(Admin().ask(request), json=json)


@app.command("list")
def list_(*, json: Json = False) -> None:
    """List all merchants."""
    found = Admin().ask_for_all(pb.ListMerchantsRequest(page_size=100))
    if json:
        as_json(*found.merchants)
    else:
        _table(found.merchants)


@app.command()
def show(merchant_id: MerchantId, *, json: Json = False) -> None:
    """Show a merchant."""
    _show(Admin().ask(pb.GetMerchantRequest(id=merchant_id)), json=json)


@app.command()
def disable(merchant_id: MerchantId, *, json: Json = False) -> None:
    """Make a merchant's keys useless, within 5 seconds."""
    _show(Admin().ask(pb.DisableMerchantRequest(id=merchant_id)), json=json)


@app.command()
def enable(merchant_id: MerchantId, *, json: Json = False) -> None:
    """Make a merchant's keys work again, within 5 seconds."""
    _show(Admin().ask(pb.EnableMerchantRequest(id=merchant_id)), json=json)


_Reply = (
    pb.CreateMerchantResponse
    | pb.GetMerchantResponse
    | pb.DisableMerchantResponse
    | pb.EnableMerchantResponse
)


def _show(reply: _Reply, *, json: bool) -> None:
    if json:
        as_json(reply)
    else:
        _table([reply.merchant])


def _table(merchants: Sequence[pb.Merchant]) -> None:
    rows = [
        (
            merchant.id,
            pb.Merchant.Status.Name(merchant.status).removeprefix("STATUS_").lower(),
            when(merchant, "create_time"),
            merchant.name,
        )
        for merchant in merchants
    ]
    as_table(("ID", "STATUS", "MADE", "NAME"), rows)
