"""The calls of paygate.sandbox.v1.SandboxService that make sandboxes and end them."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from paygate.sandbox.v1 import sandbox_service_pb2 as pb
from paygate.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceServicer
from pkg.grpc.auth import Authenticator, KeyDigest, new_api_key
from pkg.grpc.guard import Context
from pkg.grpc.messages import Fields, time_fields
from pkg.grpc.paging import PageTokens
from pkg.grpc.scopes import Scope
from pkg.grpc.shares import fill_in_pieces
from pkg.grpc.validation import TEXT_MAX_CHARACTERS, Checks
from pkg.ids import is_id, new_id
from pkg.replies.once import Once
from services.payments.domain.errors import SandboxNotFoundError
from services.payments.sandboxes import NewKey, NewSandbox, Sandbox, Sandboxes

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection

LIFE_DEFAULT, LIFE_MIN, LIFE_MAX = timedelta(days=1), timedelta(seconds=1), timedelta(days=7)
# In all: times must stay far from the year 9999, in which clock and database end.
AHEAD_MAX = timedelta(days=36_500)
MERCHANT = "mer"  # what the ids begin with
# Not for sandboxes: what one made would count for nobody.
SCOPES = frozenset({Scope.PAYMENTS, Scope.WEBHOOKS})

_PAGE = ("sandboxes",)


class SandboxesServicer(SandboxServiceServicer):
    """CreateSandbox, ListSandboxes and DeleteSandbox."""

    def __init__(
        self,
        sandboxes: Sandboxes,
        digest: KeyDigest,
        authenticator: Authenticator,
        once: Once,
        tokens: PageTokens,
    ) -> None:
        self._sandboxes = sandboxes
        self._digest = digest
        self._authenticator = authenticator
        self._once = once
        self._tokens = tokens

    async def CreateSandbox(  # noqa: N802
        self, request: pb.CreateSandboxRequest, context: Context
    ) -> pb.CreateSandboxResponse:
        """Make a sandbox, and tell its key."""
        owner_id = await self._authenticator.merchant_id(context)
        new = new_sandbox_of(request, datetime.now(UTC))
        reply = pb.CreateSandboxResponse

        async def create(connection: "PooledConnection") -> pb.CreateSandboxResponse:
            key_id, api_key = new_api_key()
            key = NewKey(id=key_id, digest=self._digest.of(api_key), scopes=SCOPES)
            made = await self._sandboxes.on(connection).create(owner_id, new, key)
            return reply(sandbox=sandbox_fields(made), api_key=api_key)

        return await self._once.run(request, context, create, reply, merchant_id=owner_id)

    async def ListSandboxes(  # noqa: N802
        self, request: pb.ListSandboxesRequest, context: Context
    ) -> pb.ListSandboxesResponse:
        """Return a page of the merchant's sandboxes."""
        async with self._authenticator.reading(context) as owner_id:
            checks = Checks()
            size = checks.page_size(request.page_size)
            checks.end()
            before = self._tokens.open(owner_id, _PAGE, request.page_token)
            found = await self._sandboxes.list(owner_id, before_id=before, limit=size + 1)
            page, more = found[:size], len(found) > size
            token = self._tokens.seal(owner_id, _PAGE, page[-1].id) if more else ""
            reply = pb.ListSandboxesResponse(next_page_token=token)
            await fill_in_pieces(reply.sandboxes, page, sandbox_fields)
            return reply

    async def DeleteSandbox(  # noqa: N802
        self, request: pb.DeleteSandboxRequest, context: Context
    ) -> pb.DeleteSandboxResponse:
        """End a sandbox."""
        owner_id = await self._authenticator.merchant_id(context)
        if not is_id(MERCHANT, request.id):
            raise SandboxNotFoundError
        await self._sandboxes.end(owner_id, request.id)
        return pb.DeleteSandboxResponse()


def new_sandbox_of(request: pb.CreateSandboxRequest, now: datetime) -> NewSandbox:
    """Return the sandbox that is asked for, with a new id; `now` is the real time.

    Raises:
        ValidationFailedError: A field is wrong.
    """
    checks, life = Checks(), LIFE_DEFAULT
    checks.text("name", request.name)
    if not request.name:
        checks.add("name", f"must have 1 to {TEXT_MAX_CHARACTERS} characters")
    if request.HasField("time_to_live"):
        life = checks.duration(
            "time_to_live", request.time_to_live, LIFE_MIN, LIFE_MAX, "1 second to 7 days"
        )
    ahead = _ahead(checks, request, now)
    checks.end()
    return NewSandbox(id=new_id(MERCHANT, now), name=request.name, time_to_live=life, ahead=ahead)


def _ahead(checks: Checks, request: pb.CreateSandboxRequest, now: datetime) -> timedelta:
    start = now
    if request.HasField("start_time"):
        start = checks.time("start_time", request.start_time) or now
    if start < now:
        checks.add("start_time", "must not be past: no clock is behind the real time")
    elif start - now > AHEAD_MAX:
        checks.add("start_time", "must be less than 100 years ahead")
    return start - now


def sandbox_fields(sandbox: Sandbox) -> Fields:
    """Return a sandbox as clients see it."""
    return {
        "id": sandbox.id,
        "name": sandbox.name,
        "create_time": time_fields(sandbox.create_time),
        "expire_time": time_fields(sandbox.expire_time),
    }
