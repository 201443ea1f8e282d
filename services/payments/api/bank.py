"""The calls of paygate.sandbox.v1.SandboxService that are about the simulated bank."""

from paygate.sandbox.v1 import sandbox_service_pb2 as pb
from paygate.sandbox.v1.sandbox_service_pb2_grpc import SandboxServiceServicer
from pkg.grpc.auth import Authenticator
from pkg.grpc.guard import Context, add_reply_header, metadata_values
from pkg.grpc.paging import PageTokens
from pkg.grpc.validation import Checks
from pkg.ids import is_id
from services.payments.api.bank_rules import RULE, request_fields, rule_fields, rule_of
from services.payments.bank_rules import SandboxBank
from services.payments.domain.errors import BankRuleNotFoundError

_SEEN = ("bank-requests",)


class BankServicer(SandboxServiceServicer):
    """Its cards, its rules, and what it saw."""

    def __init__(self, bank: SandboxBank, authenticator: Authenticator, tokens: PageTokens) -> None:
        self._bank = bank
        self._authenticator = authenticator
        self._tokens = tokens

    async def ListTestCards(  # noqa: N802
        self, _request: pb.ListTestCardsRequest, context: Context
    ) -> pb.ListTestCardsResponse:
        """List the cards whose numbers decide what the bank does."""
        await self._authenticator.caller(context)
        cards = await self._bank.cards()
        return pb.ListTestCardsResponse(
            cards=[pb.TestCard(pan=pan, description=text) for pan, text in cards]
        )

    async def CreateBankRule(  # noqa: N802
        self, request: pb.CreateBankRuleRequest, context: Context
    ) -> pb.CreateBankRuleResponse:
        """Have the bank do something else than the card's number says."""
        merchant_id = await self._authenticator.merchant_id(context)
        checks = Checks()
        key = checks.idempotency_key(metadata_values(context, "idempotency-key"))
        rule, replayed = await self._bank.create_rule(merchant_id, rule_of(request, checks), key)
        if replayed:
            add_reply_header("idempotent-replayed", "true")
        return pb.CreateBankRuleResponse(rule=rule_fields(rule))

    async def ListBankRules(  # noqa: N802
        self, _request: pb.ListBankRulesRequest, context: Context
    ) -> pb.ListBankRulesResponse:
        """Return the merchant's rules, and how often they were used."""
        async with self._authenticator.reading(context) as merchant_id:
            rules = await self._bank.rules(merchant_id)
            return pb.ListBankRulesResponse(rules=map(rule_fields, rules))

    async def DeleteBankRule(  # noqa: N802
        self, request: pb.DeleteBankRuleRequest, context: Context
    ) -> pb.DeleteBankRuleResponse:
        """Remove a rule."""
        merchant_id = await self._authenticator.merchant_id(context)
        is_one = is_id(RULE, request.id)
        if not is_one or not await self._bank.delete_rule(merchant_id, request.id):
            raise BankRuleNotFoundError
        return pb.DeleteBankRuleResponse()

    async def ListBankRequests(  # noqa: N802
        self, request: pb.ListBankRequestsRequest, context: Context
    ) -> pb.ListBankRequestsResponse:
        """Return a page of what the bank was asked for about the merchant's payments."""
        merchant_id = await self._authenticator.merchant_id(context)
        checks = Checks()
        size = checks.page_size(request.page_size)
        checks.end()
        before = self._tokens.open(merchant_id, _SEEN, request.page_token)
        found = await self._bank.requests(
            merchant_id, before=int(before) if before else None, limit=size + 1
        )
        page = found[:size]
        more = len(found) > size
        token = self._tokens.seal(merchant_id, _SEEN, str(page[-1].number)) if more else ""
        return pb.ListBankRequestsResponse(
            requests=map(request_fields, page), next_page_token=token
        )
