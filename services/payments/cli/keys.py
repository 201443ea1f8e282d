"""`paygate keys …`. A key goes to standard output, once; all that is said about it does not."""

from collections.abc import Sequence
from typing import Annotated

import typer

from paygate.admin.v1 import admin_service_pb2 as pb
from paygate.auth.v1.scope_pb2 import Scope as ScopeMessage
from pkg.grpc.scopes import Scope, of_message, to_message
from services.payments.cli.access import Admin
from services.payments.cli.merchants import MerchantId
from services.payments.cli.output import Json, as_table, note, say
from services.payments.cli.replies import as_json, when

app = typer.Typer(
    no_args_is_help=True, help="Manage API keys: a merchant has two live ones at most."
)

KeyId = Annotated[
    str,
    typer.Argument(help="The key's id: the part between its two underscores.", show_default=False),
]


@app.command()
def create(
    merchant_id: MerchantId,
    name: Annotated[str, typer.Option(help="For people.")] = "",
    scope: Annotated[
        list[Scope] | None,
        typer.Option(help="What it may be used for; may be repeated. Everything if missing."),
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Make a key and print it: it is shown this once."""
    scopes = [to_message(one) for one in scope or ()]
    request = pb.CreateApiKeyRequest(merchant_id=merchant_id, name=name, scopes=scopes)
    _tell(Admin().ask(request), json=json)


@app.command("list")
def list_(merchant_id: MerchantId, *, json: Json = False) -> None:
    """List a merchant's keys, the newest first, also those that work no more."""
    found = Admin().ask_for_all(pb.ListApiKeysRequest(merchant_id=merchant_id, page_size=100))
    if json:
        as_json(*found.api_keys)
    else:
        _table(found.api_keys)


@app.command()
def rotate(
    key_id: KeyId,
    overlap_seconds: Annotated[
        int | None, typer.Option(help="How long the old key works on; a day if missing.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Make a key that takes the place of another one, and print it: it is shown this once."""
    request = pb.RotateApiKeyRequest(id=key_id, overlap_seconds=overlap_seconds)
    reply = Admin().ask(request)
    _tell(reply, json=json)
    note(f"The old key {key_id} ends at {when(reply.old_api_key, 'expire_time')}.")


@app.command()
def revoke(key_id: KeyId, *, json: Json = False) -> None:
    """End a key, in every process within 5 seconds."""
    reply = Admin().ask(pb.RevokeApiKeyRequest(id=key_id))
    if json:
        as_json(reply)
    else:
        _table([reply.api_key])


def _tell(reply: pb.CreateApiKeyResponse | pb.RotateApiKeyResponse, *, json: bool) -> None:
    key = reply.api_key
    note(
        f"The key {key.id} of {key.merchant_id}, for {_scopes(key.scopes)}."
        " It is shown this once: keep it where nobody else can read it."
    )
    if json:
        as_json(reply)
    else:
        say(reply.secret)


def _table(keys: Sequence[pb.ApiKey]) -> None:
    rows = [
        (
            key.id,
            pb.ApiKey.Status.Name(key.status).removeprefix("STATUS_").lower(),
            _scopes(key.scopes),
            when(key, "create_time"),
            when(key, "revoke_time" if key.HasField("revoke_time") else "expire_time"),
            key.name,
        )
        for key in keys
    ]
    as_table(("ID", "STATUS", "SCOPES", "MADE", "ENDS", "NAME"), rows)


def _scopes(scopes: Sequence[ScopeMessage.ValueType]) -> str:
    return ",".join(sorted(map(of_message, scopes)))
